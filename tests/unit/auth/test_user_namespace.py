"""Id maps: user_namespaces(7)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runsc_py.sentry.auth.user_namespace import NO_ID, OVERFLOW_ID, IdMap, UserNamespace
from runsc_py.sentry.errors import EINVAL, EPERM

PARENT = UserNamespace.initial().uid_map


def test_the_initial_map_is_the_identity() -> None:
    assert PARENT.to_global(5) == 5
    assert PARENT.map_to_namespace(70000) == 70000
    assert PARENT.to_global(NO_ID) is None


def test_a_child_without_maps_sees_the_overflow_id() -> None:
    child = UserNamespace(UserNamespace.initial())
    assert child.uid_map.map_to_namespace(0) == OVERFLOW_ID
    assert child.uid_map.to_global(0) is None
    assert child.level == 1


def test_maps_nest() -> None:
    outer = IdMap([(0, 1000, 10)], PARENT)
    inner = IdMap([(5, 2, 3)], outer)
    assert inner.to_global(5) == 1002
    assert inner.from_global(1004) == 7
    assert inner.from_global(1005) is None


@pytest.mark.parametrize("extents", [[(0, 0, 0)], [(0, 0, 2), (1, 5, 1)], [(0, NO_ID, 2)]])
def test_bad_extents(extents: list[tuple[int, int, int]]) -> None:
    with pytest.raises(EINVAL):
        IdMap(extents, PARENT)


def test_ids_that_the_parent_cannot_name() -> None:
    with pytest.raises(EPERM):
        IdMap([(0, 5, 10)], IdMap([(0, 1000, 10)], PARENT))


@given(st.integers(0, NO_ID - 1))
def test_translation_is_a_bijection(identifier: int) -> None:
    id_map = IdMap([(0, 100000, 65536), (70000, 5, 10)], PARENT)
    outside = id_map.to_global(identifier)
    if outside is not None:
        assert id_map.from_global(outside) == identifier
