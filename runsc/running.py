"""A run as the command line has it: reports opened before, the record written after."""

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.log import open_log
from runsc_py.runsc.options import RunOptions
from runsc_py.runsc.result import RunResult
from runsc_py.runsc.standard_files import take_standard_files


def run_and_report(
    options: RunOptions,
    *,
    log_path: str | None,
    debug: bool,
    result_target: str | None,
    quiet: bool = False,
) -> int:
    """Run; returns the exit status.  Raises RunscError, after it was recorded."""
    record = None
    if result_target is not None:
        from runsc_py.runsc.result_file import ResultFile

        record = ResultFile(result_target)
    options.standard_files = take_standard_files()
    log = open_log(log_path, debug, quiet=quiet)
    # The modules of the sandbox cost most of the start; a wrong option should not.
    from runsc_py.runsc.sandbox import Sandbox

    try:
        if options.image is not None:
            # It stays locked until this process ends.
            from runsc_py.runsc.ending_signals import ended_by_signals
            from runsc_py.runsc.images.running import apply_image, prepare_image

            with ended_by_signals():
                image = prepare_image(options.image)
            apply_image(options, image)
        session = None
        if options.export is not None or options.diff is not None:
            from runsc_py.runsc.export.session import ExportSession

            session = ExportSession(options, log)
        try:
            result = Sandbox(options, log, session).run()
        finally:
            if session is not None:
                session.close()
    except RunscError as error:
        if record is not None:
            record.write(RunResult.of_failure(error))
        raise
    for message in (result.message, result.export_error):
        if message:
            log.report(message)
    if record is not None:
        record.write(result)
    return result.exit_status
