"""Rules of XML4 (results) and XML5 (progress notes), and of the check-in XML0."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from his.insurance.rules.checks.context import RESULT_GROUPS, Context, Hit, RuleBook
from his.insurance.rules.checks.drugs import staff_rule, stay_rule
from his.insurance.rules.visits import PROGRESS_TYPES

book: Final = RuleBook()
rule = book.rule

_IMAGING: Final = "2"
_EMERGENCY: Final = "2"
_VITAL_SIGNS: Final = re.compile(r"CSST<[^<>]+>")


@rule("XML4-MA_DICH_VU-LINK")
def _charged_service(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML4"):
        code = row["MA_DICH_VU"]
        if code and context.groups_by_service.get(code) not in RESULT_GROUPS:
            yield Hit(row, "Dịch vụ của kết quả phải có ở XML3, nhóm 1, 2 hoặc 3.")


@rule("XML4-NGAY_KQ-VAL")
def _value_has_time(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML4"):
        if row["GIA_TRI"] and not row["NGAY_KQ"]:
            yield Hit(row, "Ghi ngày giờ trả kết quả.")


@rule("XML4-KET_LUAN-IMG")
def _imaging_text(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML4"):
        if context.groups_by_service.get(row["MA_DICH_VU"]) == _IMAGING:
            missing = [name for name in ("MO_TA", "KET_LUAN") if not row[name]]
            if missing:
                yield Hit(row, f"Chẩn đoán hình ảnh: ghi {' và '.join(missing)}.", field=missing[-1])


@rule("XML4-KET_LUAN-NUMRES")
def _no_conclusion_beside_value(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML4"):
        if row["GIA_TRI"] and row["KET_LUAN"]:
            yield Hit(row, "Đã có giá trị thì không cần ghi kết luận.")


rule("XML4-MA_BS_DOC_KQ-CAT", needs="staff")(staff_rule("XML4", "MA_BS_DOC_KQ"))


@rule("XML4-ALL-SEND")
def _results_without_tests(context: Context) -> Iterator[Hit]:
    if context.rows("XML4") and not any(row["MA_NHOM"] in RESULT_GROUPS for row in context.rows("XML3")):
        yield Hit(table="XML4", suggestion="Bỏ XML4, hoặc bổ sung dịch vụ cận lâm sàng ở XML3.")


@rule("XML5-ALL-SEND")
def _notes_by_type(context: Context) -> Iterator[Hit]:
    if context.rows("XML5") and context.visit_type and context.visit_type not in PROGRESS_TYPES:
        yield Hit(table="XML5", suggestion=f"Loại hình {context.visit_type} không gửi XML5.")


rule("XML5-THOI_DIEM_DBLS-STAY")(stay_rule("XML5", "THOI_DIEM_DBLS"))
rule("XML5-NGUOI_THUC_HIEN-CAT", needs="staff")(staff_rule("XML5", "NGUOI_THUC_HIEN"))


@rule("XML5-DIEN_BIEN_LS-CSST")
def _vital_signs(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML5"):
        if not _VITAL_SIGNS.search(row["DIEN_BIEN_LS"]):
            yield Hit(row, "Ghi chỉ số sinh tồn dạng CSST<M75_T37_HA120/70_NT18_HL2>.")


@rule("XML0-MA_DICH_VU-ONE")
def _first_item(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML0"):
        if not (row["MA_DICH_VU"] or row["MA_THUOC"] or row["MA_VAT_TU"]):
            yield Hit(row, "Ghi dịch vụ, thuốc hoặc vật tư đầu tiên phát sinh.")


@rule("XML0-NGAY_VAO_NOI_TRU-TIME")
def _checkin_admission(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML0"):
        start, admitted = row.time("NGAY_VAO"), row.time("NGAY_VAO_NOI_TRU")
        if start and admitted and admitted < start:
            yield Hit(row, "Phải từ NGAY_VAO trở đi.")


@rule("XML0-MA_DOITUONG_KCB-EMG")
def _no_checkin_in_emergency(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML0"):
        if row["MA_DOITUONG_KCB"] == _EMERGENCY:
            yield Hit(row, "Không cần gửi check-in cho cấp cứu.")


@rule("XML0-MA_THE_BHYT-ONECARD")
def _one_card(context: Context) -> Iterator[Hit]:
    for row in context.rows("XML0"):
        if ";" in row["MA_THE_BHYT"]:
            yield Hit(row, "Chỉ ghi thẻ đang dùng.")
