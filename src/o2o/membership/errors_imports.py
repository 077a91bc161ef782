"""What can stand in the way of an imported file as a whole; rows have faults of their own."""

from typing import ClassVar

from o2o.kernel.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge


class ImportFileTooLarge(TooLarge):
    """The file has more bytes than are taken, or does not say how many it has."""

    code: ClassVar[str] = "import.file_too_large"

    def __init__(self, *, bytes_max: int) -> None:
        """Keep the limit."""
        super().__init__(field="file", limit_mb=bytes_max // 1_000_000)


class ImportUnpacksTooLarge(TooLarge):
    """A packed file holds more than is unpacked, or packs it tighter than tables ever are."""

    code: ClassVar[str] = "import.unpacks_too_large"

    def __init__(self, *, bytes_max: int) -> None:
        """Keep the limit."""
        super().__init__(field="file", limit_mb=bytes_max // 1_000_000)


class ImportTooManyRows(TooLarge):
    """More rows than one file may have."""

    code: ClassVar[str] = "import.too_many_rows"

    def __init__(self, *, rows_max: int) -> None:
        """Keep the limit."""
        super().__init__(field="file", limit=rows_max)


class ImportEncodingUnknown(Invalid):
    """The bytes are text in none of the encodings that are understood without guessing."""

    code: ClassVar[str] = "import.encoding_unknown"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="file")


class ImportFileBroken(Invalid):
    """The file is no table: a quote that never ends, a workbook that does not open."""

    code: ClassVar[str] = "import.file_broken"

    def __init__(self, *, line: int = 0) -> None:
        """Keep where reading ended; 0 where there are no lines."""
        super().__init__(field="file", line=line)


class ImportFileEmpty(Invalid):
    """There is no row below the head."""

    code: ClassVar[str] = "import.file_empty"

    def __init__(self) -> None:
        """Name the field."""
        super().__init__(field="file")


class ImportColumnMissing(Invalid):
    """The head does not name a column that rows cannot do without."""

    code: ClassVar[str] = "import.column_missing"

    def __init__(self, *, column: str) -> None:
        """Keep the column's key."""
        super().__init__(field="file", column=column)


class ImportColumnTwice(Invalid):
    """Two columns of the head mean the same."""

    code: ClassVar[str] = "import.column_twice"

    def __init__(self, *, column: str) -> None:
        """Keep the column's key."""
        super().__init__(field="file", column=column)


class ImportNotFound(NotFound):
    """There is no such import, or not in the brand of whoever asks."""

    code: ClassVar[str] = "import.not_found"


class ImportAlreadyDone(Conflict):
    """The same file was brought in before, or is being brought in now."""

    code: ClassVar[str] = "import.already_done"

    def __init__(self, *, import_id: str) -> None:
        """Keep which import it was."""
        super().__init__(field="file", import_id=import_id)


class ImportNotReady(Conflict):
    """The import is not at the point where this can be done to it."""

    code: ClassVar[str] = "import.not_ready"

    def __init__(self, *, status: str) -> None:
        """Keep where it is."""
        super().__init__(status=status)


class ImportTotalsDiffer(Conflict):
    """The totals that were named are not those of the file."""

    code: ClassVar[str] = "import.totals_differ"

    def __init__(self, *, fields: list[str]) -> None:
        """Keep which of them, not what they should be: they come from the chain's own books."""
        super().__init__(field=fields[0], fields=fields)


class ImportBySamePerson(Forbidden):
    """Whoever brought the file cannot also confirm it."""

    code: ClassVar[str] = "import.same_person"


class ImportHasFaults(Conflict):
    """Some rows have faults, and nobody said to leave them out."""

    code: ClassVar[str] = "import.has_faults"

    def __init__(self, *, faulty_count: int) -> None:
        """Keep how many."""
        super().__init__(field="skips_faulty", faulty_count=faulty_count)


class ImportNothingToDo(Conflict):
    """Not one row can be carried over."""

    code: ClassVar[str] = "import.nothing_to_do"
