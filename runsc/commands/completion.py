"""`runsc-py completion bash|zsh|fish`: scripts made from the same tables as the help texts."""

import sys
from collections.abc import Iterator
from importlib import import_module

from runsc_py.runsc.arguments import (
    CONTAINER,
    DIRECTORY,
    FILE,
    FILES,
    USER,
    Option,
    Syntax,
    help_text,
    parse,
)
from runsc_py.runsc.errors import RunscError

SHELLS = ("bash", "zsh", "fish")

SYNTAX = Syntax(
    "runsc-py completion bash|zsh|fish",
    "Print a script that completes the words of runsc-py command lines.",
    operands=SHELLS,
    epilog="""\
examples:
  bash   eval "$(runsc-py completion bash)"                 in ~/.bashrc
  zsh    source <(runsc-py completion zsh)                  in ~/.zshrc, after compinit
  fish   runsc-py completion fish > ~/.config/fish/completions/runsc-py.fish
""",
)


def _commands() -> list[tuple[str, str, Syntax]]:
    from runsc_py.runsc.cli import COMMANDS, CONTAINER_COMMANDS

    return [
        (name, text, import_module(f"runsc_py.runsc.commands.{module}").SYNTAX)
        for name, module, text in COMMANDS + CONTAINER_COMMANDS
    ]


def _shown(syntax: Syntax) -> list[Option]:
    return [option for option in syntax.options() if not option.hidden]


def _before() -> list[Option]:
    """The options before the command."""
    from runsc_py.runsc.config import SYNTAX as CONFIG

    return _shown(CONFIG)


def _valued(options: list[Option]) -> list[Option]:
    """Those whose value is a word of its own."""
    return [option for option in options if option.value and not option.optional]


def _pattern(options: list[Option]) -> str:
    """Of a shell's `case`: any of their names."""
    return "|".join(name for option in options for name in option.names) or "''"


# -- bash --------------------------------------------------------------------------------------

# Bash takes `--root=DIR` for three words.
_BASH = """\
# bash completion for runsc-py
_runsc_py_containers() {{
    local index directory=
    for ((index = 1; index < COMP_CWORD; index++)); do
        if [ "${{COMP_WORDS[index]}}" = --root ]; then
            directory=${{COMP_WORDS[index+1]}}
            [ "$directory" = = ] && directory=${{COMP_WORDS[index+2]}}
        fi
    done
    COMPREPLY=($(compgen -W "$(runsc-py ${{directory:+--root "$directory"}} list -q 2>/dev/null)" \\
        -- "$word"))
}}
_runsc_py() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
    local position=1 rest=
    COMPREPLY=()
    while [ "$position" -lt "$COMP_CWORD" ]; do
        case ${{COMP_WORDS[position]}} in
        {valued})
            [ "${{COMP_WORDS[position+1]}}" = = ] && position=$((position + 1))
            position=$((position + 2)) ;;
        -*) position=$((position + 1)) ;;
        *) break ;;
        esac
    done
    if [ "$position" -gt "$COMP_CWORD" ]; then
        [ "$before" = = ] && before=${{COMP_WORDS[COMP_CWORD-2]}}
        case $before in
        {values}
        esac
        return
    fi
    if [ "$position" -eq "$COMP_CWORD" ]; then
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W "{options} --version" -- "$word"))
        else
            COMPREPLY=($(compgen -W "{commands}" -- "$word"))
        fi
        return
    fi
    local command=${{COMP_WORDS[position]}}
    position=$((position + 1))
    case $command in
{cases}
    esac
}}
complete -o filenames -F _runsc_py runsc-py
"""

# `position` runs over the options: at the end it is behind the word to complete when that is an
# option's value, and on the first word of `rest` when options have ended.
_BASH_COMMAND = """\
    {name})
        while [ "$position" -lt "$COMP_CWORD" ] && [ -z "$rest" ]; do
            case ${{COMP_WORDS[position]}} in
            --) rest=yes; position=$((position + 1)) ;;
            {valued}) position=$((position + 2)) ;;
            -*) position=$((position + 1)) ;;
            *) rest=yes ;;
            esac
        done
        if [ -n "$rest" ]; then
            {rest}
        elif [ "$position" -gt "$COMP_CWORD" ]; then
            case $before in
            {values}
            esac
        elif [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W "{options}" -- "$word"))
        else
            {first}
        fi
        ;;"""


def _bash_value(option: Option) -> str:
    if option.choices:
        words = " ".join(option.choices)
        return f'COMPREPLY=($(compgen -W "{words}" -- "$word"))'
    if option.completes == DIRECTORY:
        return 'COMPREPLY=($(compgen -d -- "$word"))'
    if option.completes == FILE:
        return 'COMPREPLY=($(compgen -f -- "$word"))'
    if option.completes == USER:
        return 'COMPREPLY=($(compgen -u -- "$word"))'
    return ":"


def _bash_values(options: list[Option]) -> str:
    """The branches of a `case` over the word before."""
    values = [f"{_pattern([option])}) {_bash_value(option)} ;;" for option in _valued(options)]
    return "\n        ".join(values) or "'') ;;"


def _names(options: list[Option]) -> str:
    return " ".join(name for option in options for name in option.names)


def _bash_command(name: str, syntax: Syntax) -> str:
    options = _shown(syntax)
    if syntax.operands is None:
        rest = '_command_offset "$position" 2>/dev/null || COMPREPLY=($(compgen -f -- "$word"))'
        first = 'COMPREPLY=($(compgen -c -- "$word"))'
    elif syntax.operands == FILES:
        rest = first = 'COMPREPLY=($(compgen -f -- "$word"))'
    elif syntax.operands == CONTAINER:
        rest = first = "_runsc_py_containers"
    else:
        rest = first = f'COMPREPLY=($(compgen -W "{" ".join(syntax.operands)}" -- "$word"))'
    return _BASH_COMMAND.format(
        name=name,
        valued=_pattern(_valued(options)),
        rest=rest,
        values=_bash_values(options),
        options=_names(options),
        first=first,
    )


def _bash() -> str:
    commands, before = _commands(), _before()
    return _BASH.format(
        valued=_pattern(_valued(before)),
        values=_bash_values(before),
        options=_names(before),
        commands=" ".join(name for name, _, _ in commands),
        cases="\n".join(_bash_command(name, syntax) for name, _, syntax in commands),
    )


# -- zsh ---------------------------------------------------------------------------------------

_ZSH = """\
#compdef runsc-py
_runsc_py_containers() {{
    local -a containers
    containers=(${{(f)"$(runsc-py ${{root:+--root=$root}} list -q 2>/dev/null)"}})
    compadd -a containers
}}
_runsc_py() {{
    local -a commands
    commands=(
{commands}
    )
    local root=
    local -i index=2
    while (( index < CURRENT )) && [[ $words[index] == -* ]]; do
        case $words[index] in
        --root) root=$words[index+1]; (( index += 2 )) ;;
        --root=*) root=${{words[index]#--root=}}; (( index++ )) ;;
        ({valued}) (( index += 2 )) ;;
        *) (( index++ )) ;;
        esac
    done
    if (( index > CURRENT )); then
        _files
        return
    fi
    if (( index == CURRENT )); then
        if [[ $words[CURRENT] == -* ]]; then
            _arguments {options}
        else
            _describe command commands
        fi
        return
    fi
    local command=$words[index]
    shift $(( index - 1 )) words
    (( CURRENT -= index - 1 ))
    case $command in
{cases}
    esac
}}
compdef _runsc_py runsc-py
"""


def _zsh_quote(text: str) -> str:
    return text.replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def _zsh_action(option: Option) -> str:
    if option.choices:
        return f"({' '.join(option.choices)})"
    return {DIRECTORY: "_files -/", FILE: "_files", USER: "_users"}.get(option.completes, "")


def _zsh_options(option: Option) -> Iterator[str]:
    for name in option.names:
        value = ""
        if option.value:
            colon = "::" if option.optional else ":"
            value = f"{colon}{_zsh_quote(option.value)}:{_zsh_action(option)}"
        joined = "=-" if option.optional else "=" if option.value and name.startswith("--") else ""
        repeat = "*" if option.repeats else ""
        yield f"'{repeat}{name}{joined}[{_zsh_quote(option.help)}]{value}'"


def _zsh_command(name: str, syntax: Syntax) -> str:
    words = [word for option in _shown(syntax) for word in _zsh_options(option)]
    if syntax.operands is None:
        words += ["'(-)1:command:_command_names -e'", "'*::arguments:_normal'"]
    elif syntax.operands == FILES:
        words.append("'*:file:_files'")
    elif syntax.operands == CONTAINER:
        words.append("'1:container:_runsc_py_containers'")
    elif syntax.operands:
        words.append(f"'1:word:({' '.join(syntax.operands)})'")
    return (
        f"    {name})\n        _arguments -s -S " + " \\\n            ".join(words) + "\n        ;;"
    )


def _zsh() -> str:
    commands, before = _commands(), _before()
    return _ZSH.format(
        valued=_pattern(_valued(before)),
        options=" ".join(word for option in before for word in _zsh_options(option)),
        commands="\n".join(f"        '{name}:{_zsh_quote(text)}'" for name, text, _ in commands),
        cases="\n".join(_zsh_command(name, syntax) for name, _, syntax in commands),
    )


# -- fish --------------------------------------------------------------------------------------


def _fish_quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _fish_option(condition: str, option: Option) -> str:
    parts = [f"complete -c runsc-py -n '{condition}'"]
    for name in option.names:
        parts.append(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}")
    if option.value and not option.optional:
        if option.choices:
            parts.append(f"-x -a {_fish_quote(' '.join(option.choices))}")
        elif option.completes == DIRECTORY:
            parts.append("-x -a '(__fish_complete_directories)'")
        elif option.completes == USER:
            parts.append("-x -a '(__fish_complete_users)'")
        else:
            parts.append("-r" if option.completes == FILE else "-x")
    return " ".join([*parts, f"-d {_fish_quote(option.help)}"])


def _fish() -> str:
    commands = _commands()
    lines = ["# fish completion for runsc-py", "complete -c runsc-py -f"]
    lines += [_fish_option("__fish_use_subcommand", option) for option in _before()]
    for name, text, syntax in commands:
        lines.append(
            "complete -c runsc-py -n __fish_use_subcommand "
            f"-a {_fish_quote(name)} -d {_fish_quote(text)}"
        )
        condition = f"__fish_seen_subcommand_from {name}"
        lines += [_fish_option(condition, option) for option in _shown(syntax)]
        seen = f"-n '{condition}'"
        if syntax.operands is None:
            lines.append(f"complete -c runsc-py {seen} -x -a '(__fish_complete_subcommand)'")
        elif syntax.operands == FILES:
            lines.append(f"complete -c runsc-py {seen} -F")
        elif syntax.operands == CONTAINER:
            lines.append(f"complete -c runsc-py {seen} -x -a '(runsc-py list -q 2>/dev/null)'")
        elif syntax.operands:
            words = _fish_quote(" ".join(syntax.operands))
            lines.append(f"complete -c runsc-py {seen} -x -a {words}")
    return "\n".join(lines) + "\n"


def main(name: str, arguments: list[str]) -> int:
    """Print the script for a shell."""
    parsed = parse(SYNTAX, arguments, "runsc-py completion")
    if parsed.has("help"):
        sys.stdout.write(help_text(SYNTAX))
        return 0
    makers = {"bash": _bash, "zsh": _zsh, "fish": _fish}
    if len(parsed.operands) != 1 or parsed.operands[0] not in makers:
        raise RunscError(f"completion needs the name of a shell: {', '.join(SHELLS)}")
    sys.stdout.write(makers[parsed.operands[0]]())
    return 0
