"""Forms of pages: what a page does not ask for is refused, and not passed over."""

import importlib
import pkgutil
from types import ModuleType

import msgspec
import pytest

from o2o.membership import web as membership_pages
from o2o.staff import web as staff_pages


def forms_of(package: ModuleType) -> list[type[msgspec.Struct]]:
    """What is read from the forms of pages: all that carries their token."""
    modules = [
        importlib.import_module(f"{package.__name__}.{found.name}")
        for found in pkgutil.iter_modules(package.__path__)
    ]
    return [
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
        if "csrf" in kind.__struct_fields__ and kind.__module__ == module.__name__
    ]


@pytest.mark.parametrize("package", [membership_pages, staff_pages])
def test_no_form_takes_fields_that_it_does_not_know(package: ModuleType) -> None:
    forms = forms_of(package)
    assert forms
    assert [kind for kind in forms if not kind.__struct_config__.forbid_unknown_fields] == []
