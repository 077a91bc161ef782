"""Files as tables: encodings proved or refused, separators, heads, quotes, and workbooks."""

import io
import zipfile
from pathlib import Path

import pytest

from bench.import_files import write_xlsx
from o2o.crm.statuses import ImportKind
from o2o.kernel.errors import Fact
from o2o.membership.imports import xlsx_parts
from o2o.membership.imports.cells import card_no_cell, fen_cell
from o2o.membership.imports.csv_table import CSVTable
from o2o.membership.imports.encodings import find_encoding
from o2o.membership.imports.faults import CellWrong
from o2o.membership.imports.headers import read_head
from o2o.membership.imports.upload import examine
from o2o.membership.imports.xlsx_table import XLSXTable
from tests.factories.imports import NAMES

CARDS = NAMES[ImportKind.CARDS]
TEXT = "卡号,姓名\nA0001,张三丰\nA0002,欧阳修\n"
OFFICE = "http://schemas.openxmlformats.org"
MAIN = f'xmlns="{OFFICE}/spreadsheetml/2006/main"'
LINKS = f"{OFFICE}/officeDocument/2006/relationships"


def table(content: bytes) -> CSVTable:
    return CSVTable(io.BytesIO(content), names=CARDS)


@pytest.mark.parametrize(
    "encoding, found",
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("gbk", "gb18030"),
        ("gb18030", "gb18030"),
    ],
)
def test_encodings_are_found(encoding: str, found: str) -> None:
    read = table(TEXT.encode(encoding))
    assert read.encoding == found
    assert list(read.rows())[1] == (2, ["A0001", "张三丰"])


@pytest.mark.parametrize(
    "content",
    [
        "卡號,姓名\nA0001,張三豐\nA0002,歐陽修\nA0003,黃蓉與郭靖\n".encode("big5"),
        "卡号,姓名\nA,café\n".encode("latin-1", "replace") + b"\xe9\xff\xfe\n",
        "名前,カタカナ\nア,イウエオ\n".encode("shift_jis"),
        b"\xff\xfe\x00\xd8\x00\x00",
        TEXT.encode()[:-3] + b"\xe4\n",
    ],
)
def test_what_could_be_anything_is_refused(content: bytes) -> None:
    with pytest.raises(Fact) as caught:
        find_encoding(io.BytesIO(content))
    assert caught.value.code == "import.encoding_unknown"


def test_gbk_far_into_an_ascii_file_is_found() -> None:
    content = b"card_no,name\n" + b"A0001,x\n" * 200_000 + "A0002,张三\n".encode("gbk")
    assert find_encoding(io.BytesIO(content)) == "gb18030"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_are_found(separator: str) -> None:
    rows = list(table(TEXT.replace(",", separator).encode()).rows())
    assert rows == [(1, ["卡号", "姓名"]), (2, ["A0001", "张三丰"]), (3, ["A0002", "欧阳修"])]


def test_lines_are_counted_where_rows_begin() -> None:
    content = '\n卡号,姓名\nA1,"两\n行"\n\nA2,"说""好"""\n'.encode()
    assert list(table(content).rows()) == [
        (2, ["卡号", "姓名"]),
        (3, ["A1", "两\n行"]),
        (6, ["A2", '说"好"']),
    ]


def test_wrong_quotes_are_a_fault_of_their_line_and_endless_ones_of_the_file() -> None:
    rows = list(table('卡号,姓名\nA1,"x"y\nA2,z\n'.encode()).rows())
    assert [(line, cells is None) for line, cells in rows[1:]] == [(2, True), (3, False)]
    for rest in ("z\n", "z\n" * 50_000):
        with pytest.raises(Fact) as caught:
            list(table(f'卡号,姓名\nA1,"{rest}'.encode()).rows())
        assert (caught.value.code, caught.value.detail["line"]) == ("import.file_broken", 2)


def test_a_line_without_an_end_does_not_fill_memory() -> None:
    with pytest.raises(Fact) as caught:
        list(table("卡号\n".encode() + b"x" * 3_000_000).rows())
    assert (caught.value.code, caught.value.detail["line"]) == ("import.file_broken", 2)


def test_heads() -> None:
    head = read_head(
        ["会员 卡号", "Principal Balance", "手机号（必填）", "备注"],
        names=CARDS,
        wanted=(("card_no",),),
    )
    assert head.places == {"card_no": 0, "principal": 1, "phone": 2}
    assert head.ignored == ["备注"]
    with pytest.raises(Fact) as caught:
        read_head(["姓名"], names=CARDS, wanted=(("card_no",),))
    assert caught.value.code == "import.column_missing"
    with pytest.raises(Fact) as caught:
        read_head(["卡号", "card_no"], names=CARDS, wanted=())
    assert (caught.value.code, caught.value.detail) == (
        "import.column_twice",
        {"column": "card_no"},
    )


def workbook(sheet: str, *, texts: str = "", styles: str = "", extra: bytes = b"") -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(
            "xl/workbook.xml",
            f'<workbook {MAIN} xmlns:r="{LINKS}"><sheets><sheet name="h" state="hidden" sheetId="1"'
            ' r:id="r0"/><sheet name="a" sheetId="2" r:id="r1"/></sheets></workbook>',
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{OFFICE}/package/2006/relationships">'
            '<Relationship Id="r1" Target="worksheets/sheet9.xml"/></Relationships>',
        )
        book.writestr("xl/worksheets/sheet9.xml", sheet)
        if texts:
            book.writestr("xl/sharedStrings.xml", f"<sst {MAIN}>{texts}</sst>")
        if styles:
            book.writestr("xl/styles.xml", f"<styleSheet {MAIN}>{styles}</styleSheet>")
        if extra:
            book.writestr("xl/media/image.bin", extra)
    file.seek(0)
    return file


def sheet(rows: str) -> str:
    return f"<worksheet {MAIN}><sheetData>{rows}</sheetData></worksheet>"


def test_cells_of_a_workbook_read_as_they_are_shown() -> None:
    styles = (
        '<numFmts><numFmt numFmtId="170" formatCode="00000000"/>'
        '<numFmt numFmtId="171" formatCode="yyyy&quot;y&quot;m"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="170"/><xf numFmtId="14"/><xf numFmtId="171"/>'
        "</cellXfs>"
    )
    row = (
        '<row r="3"><c r="A3" t="s"><v>0</v></c><c r="B3" s="1"><v>1234</v></c>'
        '<c r="D3"><v>1.3812345678E10</v></c><c r="E3"><v>100.09999999999999</v></c>'
        '<c r="F3" s="2"><v>45413</v></c><c r="G3" t="inlineStr"><is><t>行内</t></is></c>'
        '<c r="H3" t="str"><f>1+1</f><v>=x</v></c><c r="I3" s="3"><v>45413.5</v></c></row>'
    )
    texts = "<si><r><t>张</t></r><r><t>三</t></r><rPh><t>zhang</t></rPh></si>"
    read = XLSXTable(workbook(sheet(row), texts=texts, styles=styles))
    assert list(read.rows()) == [
        (
            3,
            [
                *("张三", "00001234", "", "13812345678", "100.1", "2024-05-01"),
                *("行内", "=x", "2024-05-01 12:00:00"),
            ],
        )
    ]


def test_what_a_workbook_lost_is_not_made_up() -> None:
    row = (
        # A number keeps fifteen digits; a formula may never have been computed.
        '<row r="1"><c r="A1"><v>6222021234567891</v></c><c r="B1"><f>SUM(A1)</f></c>'
        '<c r="C1" t="b"><f/></c><c r="D1"><f>1+1</f><v>2</v></c></row>'
    )
    [(_, cells)] = XLSXTable(workbook(sheet(row))).rows()
    assert cells == ["6.22202123456789E+15", "=SUM(A1)", "=", "2"]
    for read, cell, code in (
        (card_no_cell, cells[0], "card_no_scientific"),
        (fen_cell, cells[1], "amount_not_number"),
    ):
        with pytest.raises(CellWrong) as caught:
            read(cell)
        assert caught.value.code == code


def test_prefixed_elements_are_read_too() -> None:
    text = sheet('<row r="1"><c r="A1"><v>7</v></c></row>')
    prefixed = text.replace("</", "</x:").replace("<worksheet xmlns=", "<x:worksheet xmlns:x=")
    for name in ("sheetData", "row", "c r", "v>"):
        prefixed = prefixed.replace(f"<{name}", f"<x:{name}")
    assert list(XLSXTable(workbook(prefixed)).rows()) == [(1, ["7"])]


@pytest.mark.parametrize(
    "part",
    [
        '<!DOCTYPE x [<!ENTITY a "b">]>' + sheet(""),
        '<!DOCTYPE x SYSTEM "file:///etc/passwd">' + sheet(""),
        sheet('<row r="1"><c r="A1" t="s"><v>9</v></c></row>'),
        sheet('<row r="1"><c r="C1"><v>1</v></c><c r="A1"><v>1</v></c></row>'),
        sheet('<row r="1"><c r="ZZZ1"><v>1</v></c></row>'),
        sheet("<row>"),
    ],
)
def test_broken_and_hostile_sheets_are_refused(part: str) -> None:
    with pytest.raises(Fact) as caught:
        list(XLSXTable(workbook(part)).rows())
    assert caught.value.code == "import.file_broken"


def test_bombs_are_refused_by_their_directory_and_by_what_comes_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for content in (workbook(sheet(""), extra=bytes(40_000_000)),):
        with pytest.raises(Fact) as caught:
            examine(content, bytes_max=10_000_000)
        assert (caught.value.code, caught.value.status) == ("import.unpacks_too_large", 413)
        assert caught.value.detail == {"limit_mb": 1000}
    # A directory that lies: the bytes themselves are counted.
    honest = workbook(sheet('<row r="1"><c r="A1"><v>1</v></c></row>' * 5_000))
    read = XLSXTable(honest)
    monkeypatch.setattr(xlsx_parts, "UNPACKED_BYTES_MAX", 100_000)
    with pytest.raises(Fact) as caught:
        list(read.rows())
    assert caught.value.code == "import.unpacks_too_large"


def test_files_that_are_too_large_or_empty_or_no_archive() -> None:
    for content, code in (
        (b"x" * 1_001, "import.file_too_large"),
        (b"", "import.file_empty"),
        (b"PK\x03\x04 but no more", "import.file_broken"),
    ):
        with pytest.raises(Fact) as caught:
            examine(io.BytesIO(content), bytes_max=1_000)
        assert caught.value.code == code


def test_a_workbook_of_thousands_of_texts_reads_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "cards.xlsx"
    write_xlsx(path, 3_000, seed=5)
    with path.open("rb") as file:
        rows = list(XLSXTable(file).rows())
    assert len(rows) == 3_001
    assert rows[-1][0] == 3_001
    assert rows[-1][1] is not None
    assert rows[-1][1][0] == "K000002999"
