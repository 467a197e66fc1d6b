"""Administrative data typed wrongly: each field says its sentence, nothing is half saved."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from his.records import queries, rules
from tests.factories.catalogues import make_code
from tests.factories.records import make_patient


def form_of(browser: Any, patient_id: int) -> dict[str, str]:
    page = browser.get(f"/records/patients/{patient_id}/edit").text
    values = {m[1]: html.unescape(m[2]) for m in re.finditer(r'<input[^>]*name="([a-z_]+)"[^>]*value="([^"]*)"', page)}
    values |= {"sex": "F", "guardian_kind": "mother", "ethnicity_code": "01", "nationality_code": "VN", "occupation_code": "00000"}
    return {name: values.get(name, "") for name in (
        "version", "full_name", "birth_on", "birth_time", "sex", "personal_number", "phone", "address_line", "commune_code",
        "ethnicity_code", "nationality_code", "occupation_code", "workplace", "blood_group", "guardian_kind",
        "guardian_name", "guardian_phone",
    )}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"phone": "abc<"}, "Số điện thoại chỉ gồm chữ số"),
        ({"phone": "1"}, "Số điện thoại chỉ gồm chữ số"),
        ({"birth_time": "2599"}, "Giờ sinh gồm 4 chữ số"),
        ({"birth_time": "<>"}, "Giờ sinh gồm 4 chữ số"),
        ({"ethnicity_code": "ZZ"}, "Dân tộc: không có mã «ZZ»"),
        ({"nationality_code": "QQ"}, "Quốc tịch: không có mã «QQ»"),
        ({"occupation_code": "9" * 12}, "Nghề nghiệp: không có mã «999999999999»"),
        ({"commune_code": "xx"}, "Không có xã, phường này"),
        ({"sex": "Z"}, "Lựa chọn không có trong danh sách"),
        ({"blood_group": "Z"}, "Lựa chọn không có trong danh sách"),
        ({"guardian_name": "<script>"}, "Họ tên người thân chỉ gồm chữ"),
        ({"guardian_name": "Lê Thị Châu", "guardian_phone": "x"}, "Số điện thoại chỉ gồm chữ số"),
    ],
)
def test_a_wrong_value_has_its_sentence_and_nothing_is_saved(login_as: Any, changes: dict[str, str], words: str) -> None:
    for list_name, code in (("ethnicity", "01"), ("nationality", "VN"), ("occupation", "00000")):
        make_code(list_name, code, code)
    person = make_patient("Nguyễn Thị Thử", phone="0901234567")
    browser = login_as("clerk")
    data = form_of(browser, person.patient_id) | {"workplace": "Trường mới"} | changes
    answer = browser.post(f"/records/patients/{person.patient_id}/edit", data=data)
    assert answer.status_code == 422
    assert words in html.unescape(answer.text)
    now = queries.loaded(person.patient_id)
    assert (now.phone, now.workplace, list(now.guardians)) == ("0901234567", "", [])


@pytest.mark.parametrize("version", ["", "²", "abc", "9" * 30])
def test_a_form_without_its_version_overwrites_nothing(login_as: Any, version: str) -> None:
    person = make_patient("Nguyễn Thị Thử", phone="0901234567")
    browser = login_as("clerk")
    data = form_of(browser, person.patient_id) | {"phone": "0909999999", "version": version}
    assert browser.post(f"/records/patients/{person.patient_id}/edit", data=data).status_code == 409
    assert queries.loaded(person.patient_id).phone == "0901234567"


@pytest.mark.parametrize("text", ["", "0901234567", "0900 118 204", "+84 901 234 567", "(028) 3999-9999", "028.3999.9999"])
def test_telephone_numbers_are_typed_in_many_ways(text: str) -> None:
    assert rules.check_phone(text, "phone") == ()


@pytest.mark.parametrize("text", ["abc", "12", "0901234567<b>", "09012345²7", "9" * 16, "=1+1"])
def test_what_is_no_telephone_number_is_refused(text: str) -> None:
    assert rules.check_phone(text, "phone")[0].field == "phone"
