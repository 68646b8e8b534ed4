"""Floating point and vector registers."""

import pytest

from harness.machine_code import DATA, SPIN, call, load, new_guest
from runsc_py.platform.interface import Event
from runsc_py.platform.ptrace import PtracePlatform

XMM0_OFFSET = 160  # in an FXSAVE image
FXSAVE_DATA = load("rax", DATA) + b"\x0f\xae\x00"
MOVQ_RBX_XMM0 = b"\x66\x48\x0f\x6e\xc3"
MOVQ_XMM0_RBX = b"\x66\x48\x0f\x7e\xc3"


def test_new_address_space_has_initial_state(platform: PtracePlatform) -> None:
    """Nothing that the sentry computed may be seen in a guest's registers."""
    context = new_guest(platform, FXSAVE_DATA + call(1))
    platform.wait(context)
    image = context.address_space.read(DATA, 512)
    assert image[:2] == b"\x7f\x03"
    assert image[24:28] == b"\x80\x1f\0\0"
    assert not any(image[32:416])


def test_state_is_read_and_replaced(platform: PtracePlatform) -> None:
    code = load("rbx", 0x1122334455667788) + MOVQ_RBX_XMM0 + call(1) + MOVQ_XMM0_RBX + call(2)
    context = new_guest(platform, code)
    platform.wait(context)
    state = bytearray(context.get_extended_state())
    assert int.from_bytes(state[XMM0_OFFSET : XMM0_OFFSET + 8], "little") == 0x1122334455667788
    state[XMM0_OFFSET : XMM0_OFFSET + 8] = b"\x99" * 8
    context.set_extended_state(bytes(state))
    platform.wait(context)
    assert context.number == 2
    assert context.registers.rbx == 0x9999999999999999


def test_clones_inherit_it(platform: PtracePlatform) -> None:
    code = load("rbx", 77) + MOVQ_RBX_XMM0 + call(1) + load("rbx", 0) + MOVQ_XMM0_RBX + call(2)
    context = new_guest(platform, code)
    platform.wait(context)
    for clone in (context.clone_process(share_memory=False), context.clone_thread()):
        assert clone.get_extended_state() == context.get_extended_state()
        platform.wait(clone)
        assert (clone.event, clone.number) == (Event.SYSCALL, 2)
        assert clone.registers.rbx == 77


@pytest.mark.parametrize("damage", ["short", "header", "mxcsr"])
def test_images_that_the_host_refuses(platform: PtracePlatform, damage: str) -> None:
    context = new_guest(platform, SPIN)
    state = bytearray(context.get_extended_state())
    if damage == "short":
        state = state[:100]
    elif damage == "header":
        state[512:520] = b"\xff" * 8
    else:
        state[512] |= 2  # SSE state present: its control word counts
        state[24:28] = b"\xff" * 4
    with pytest.raises(ValueError, match="extended state"):
        context.set_extended_state(bytes(state))
