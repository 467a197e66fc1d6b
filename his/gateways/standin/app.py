"""The insurer's portal and the national prescription system, faithful where public sources tell how they behave.

Switches by ``POST /control`` (JSON): ``down`` (HTTP 503), ``delay`` (seconds), ``drop`` (accept, then cut the line),
``html`` (HTML page with status 200), ``numeric`` (codes as numbers), ``token_seconds``. ``GET /control`` lists what
arrived. Cards: ``people.json`` by number; other well-formed cards by the last digit of the number: 9 -> 050 unknown.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import threading
import time
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request
from lxml import etree

from his.core.xml import XmlRefused, parse_untrusted

CARD = re.compile(r"^[A-Z]{2}[1-5]\d{12}$", re.ASCII)
CODE = re.compile(r"^[0-9A-Za-z]{5}[0-9a-z]{7}-[cnhytCNHT]$", re.ASCII)
# Numbers that always answer with one code, for tests of every class.
FIXED_CODES = {
    f"GD47979{code}00000"[:15].ljust(15, "0"): code for code in ("010", "051", "060", "070", "100", "110", "120", "130")
}
MAX_FILE = 5_000_000


class State:
    """What the stand-ins remember, safe for threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.switches: dict[str, Any] = {}
        self.tokens: dict[str, datetime] = {}
        self.claims: list[dict[str, Any]] = []
        self.checkins: list[dict[str, Any]] = []
        self.prescriptions: dict[str, dict[str, Any]] = {}
        self.people: dict[str, dict[str, Any]] = {}
        for person in json.loads(files("his.gateways.standin").joinpath("people.json").read_text("utf-8")):
            for key in ("card", "national_id"):
                if person.get(key):
                    self.people[person[key]] = person
            if person.get("card"):
                self.people[person["card"][5:]] = person
            if person.get("old_card"):
                self.people[person["old_card"]] = person


def create_app() -> Flask:
    """Build the stand-ins: ``/insurer`` and ``/national-rx``."""
    app = Flask(__name__)
    state = State()
    app.extensions["state"] = state
    app.register_blueprint(_insurer(state), url_prefix="/insurer")
    app.register_blueprint(_national(state), url_prefix="/national-rx")

    @app.before_request
    def _weather() -> Any:
        if request.path.startswith("/control"):
            return None
        if state.switches.get("delay"):
            time.sleep(float(state.switches["delay"]))
        if state.switches.get("down"):
            return Response("Service Unavailable", 503)
        if state.switches.get("html"):
            return Response("<html><body>Bảo trì</body></html>", 200, mimetype="text/html")
        return None

    @app.route("/control", methods=["GET", "POST", "DELETE"])
    def control() -> Any:
        with state.lock:
            if request.method == "POST":
                state.switches.update(request.get_json() or {})
            elif request.method == "DELETE":
                state.switches.clear()
                state.claims.clear()
                state.checkins.clear()
                state.prescriptions.clear()
            return jsonify(switches=state.switches, claims=state.claims, checkins=state.checkins,
                           prescriptions=list(state.prescriptions.values()))  # fmt: skip

    return app


def _code(state: State, code: str) -> Any:
    return int(code) if state.switches.get("numeric") else code


def _insurer(state: State) -> Blueprint:
    bp = Blueprint("insurer", __name__)

    def token_ok(token: str) -> bool:
        return token in state.tokens and state.tokens[token] > datetime.now(UTC)

    @bp.post("/api/token/take")
    def take() -> Any:
        data = request.get_json(silent=True) or request.form
        if not re.match(r"^[0-9A-F]{32}$", str(data.get("password", "")).upper()) or not str(
            data.get("username", "")
        ).endswith("_BV"):
            return jsonify(maKetQua="401")
        seconds = float(state.switches.get("token_seconds", 600))
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        token = secrets.token_hex(12)
        with state.lock:
            state.tokens[token] = until
        stamp = until.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
        return jsonify(maKetQua="200", APIKey={"access_token": token, "id_token": "id-" + token, "token_type": "Bearer",
                                               "username": data["username"], "expires_in": stamp})  # fmt: skip

    @bp.post("/api/egw/KQNhanLichSuKCB2024")
    def card() -> Any:
        if not token_ok(request.args.get("token", "")):
            return jsonify(maKetQua=_code(state, "401"))
        data = request.get_json(silent=True) or request.form
        number = str(data.get("maThe", "")).upper()
        return jsonify(_card_answer(state, number, str(data.get("hoTen", "")), str(data.get("ngaySinh", ""))))

    @bp.post("/api/TraCuuCCT/TraCuuTienMCCT")
    def copaid() -> Any:
        if not token_ok(request.headers.get("accessToken", "")):
            return Response("", 401)
        return jsonify(MaKetQua="204", GhiChu="", DataCCT=None, ThongTinSoThe=None)

    def receive(store: list[dict[str, Any]], check: Any) -> Any:
        if not token_ok(request.headers.get("accessToken", "")):
            return jsonify(maKetQua=_code(state, "401"))
        try:
            raw = base64.b64decode(request.form.get("fileHSBase64", ""), validate=True)
        except ValueError:
            return jsonify(maKetQua=_code(state, "202"), thongDiep="Tệp không phải Base64")
        if len(raw) > MAX_FILE:
            return jsonify(maKetQua=_code(state, "1001"), thongDiep="Tệp quá lớn")
        code, message, key = check(raw, request.form.get("maCSKCB", ""))
        if code != "200":
            return jsonify(maKetQua=_code(state, code), thongDiep=message)
        with state.lock:
            for older in store:
                if older["ma_lk"] == key:
                    older["replaced"] = True
            entry = {"ma_lk": key, "bytes": len(raw), "receipt": f"GD-{len(store) + 1:06d}", "replaced": False}
            store.append(entry)
        if state.switches.get("drop"):
            return Response(_cut(), 200)
        return jsonify(maKetQua=_code(state, "200"), maGiaoDich=entry["receipt"],
                       thoiGianTiepNhan=datetime.now(UTC).strftime("%Y%m%d%H%M%S"), thongDiep="Tiếp nhận thành công")  # fmt: skip

    @bp.post("/api/qd130/guiHoSoXmlQD3176")
    def claim() -> Any:
        return receive(state.claims, _check_claim)

    @bp.post("/api/qd130/checkInKcbQd3176")
    def checkin() -> Any:
        return receive(state.checkins, _check_checkin)

    return bp


def _cut() -> Any:
    """Cut the line after the file was taken: the sender cannot know."""
    raise ConnectionAbortedError
    yield b""


def _card_answer(state: State, number: str, name: str, birth: str) -> dict[str, Any]:
    def answer(code: str, message: str, **more: Any) -> dict[str, Any]:
        return {"maKetQua": _code(state, code), "ghiChu": message, "maThe": number, "hoTen": name, "ngaySinh": birth,
                "dsLichSuKCB2018": None, "dsLichSuKT2018": None, **more}  # fmt: skip

    if number in FIXED_CODES:
        return answer(FIXED_CODES[number], "Mã trả về cố định để thử")
    person = state.people.get(number)
    if person is None:
        if not (CARD.match(number) or re.match(r"^\d{10}$|^\d{12}$", number)):
            return answer("052", "Mã thẻ sai định dạng")
        return answer("050", "Không tìm thấy thông tin thẻ")
    if not person.get("card"):
        return answer("050", "Không tìm thấy thông tin thẻ")
    if name and name.upper() != person["name"].upper():
        return answer("060", "Họ tên không đúng")
    if birth and birth not in (person["birth"], person["birth"][-4:]):
        return answer("070", "Ngày sinh không đúng")
    replaced = number == person.get("old_card")
    common = {
        "gioiTinh": "Nam" if person["sex"] == "M" else "Nữ", "diaChi": person["address"], "cqBHXH": "BHXH cơ sở Mẫu",
        "maKV": person.get("area", ""), "ngayDu5Nam": person.get("five_years", ""), "maSoBHXH": person["card"][5:],
    }  # fmt: skip
    if replaced:
        return answer("003", "Thẻ cũ đã được cấp thẻ mới", maTheCu=number, maTheMoi=person["card"], gtTheTuMoi=person["from"],
                      gtTheDenMoi=person["to"], maDKBDMoi=person["registered"], maDKBD=person["registered"],
                      gtTheTu="01/01/2025", gtTheDen="31/12/2025", **common)  # fmt: skip
    return {**answer("000", "Thông tin thẻ BHYT chính xác", maTheCu=None, maTheMoi=None, maDKBD=person["registered"],
                     gtTheTu=person["from"], gtTheDen=person["to"], **common), "maThe": person["card"], "hoTen": person["name"],
            "ngaySinh": person["birth"]}  # fmt: skip


def _check_claim(raw: bytes, facility: str) -> tuple[str, str, str]:
    if raw.startswith(b"\xef\xbb\xbf"):
        return "204", "Tệp có BOM", ""
    try:
        root = parse_untrusted(raw)
    except XmlRefused:
        return "204", "XML sai", ""
    if etree.QName(root).localname != "GIAMDINHHS" or root.findtext("THONGTINDONVI/MACSKCB") != facility:
        return "205", "Sai phần tử gốc hoặc mã cơ sở", ""
    if root.findtext("THONGTINHOSO/SOLUONGHOSO") != "1":
        return "205", "Mỗi tệp một hồ sơ", ""
    kinds = [node.findtext("LOAIHOSO") for node in root.iter("FILEHOSO")]
    if "XML1" not in kinds or "XML12" in kinds:
        return "205", "Thiếu XML1 hoặc có XML12", ""
    first = next(node for node in root.iter("FILEHOSO") if node.findtext("LOAIHOSO") == "XML1")
    try:
        inner = parse_untrusted(base64.b64decode(first.findtext("NOIDUNGFILE") or "", validate=True))
    except (XmlRefused, ValueError):
        return "204", "XML1 không đọc được", ""
    return "200", "", inner.findtext(".//MA_LK") or inner.findtext("MA_LK") or ""


def _check_checkin(raw: bytes, _facility: str) -> tuple[str, str, str]:
    try:
        root = parse_untrusted(raw)
    except XmlRefused:
        return "204", "XML sai", ""
    key = root.findtext(".//MA_LK")
    return ("200", "", key) if key else ("205", "Thiếu MA_LK", "")


def _national(state: State) -> Blueprint:
    bp = Blueprint("national", __name__)

    @bp.post("/api/auth/dang-nhap-bac-si")
    def login() -> Any:
        data = request.get_json(silent=True) or {}
        if not data.get("ma_lien_thong_bac_si") or not data.get("password"):
            return jsonify(message="Bác sĩ chưa liên thông"), 400
        token = "doctor-" + secrets.token_hex(12)
        with state.lock:
            state.tokens[token] = datetime.now(UTC) + timedelta(days=7)
        return jsonify(token=token, token_type="bearer")

    @bp.post("/api/v1/gui-don-thuoc")
    def send() -> Any:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not token.startswith("doctor-") or token not in state.tokens:
            return jsonify(message="Token không hợp lệ"), 401
        data = request.get_json(silent=True) or {}
        problems = _check_prescription(data)
        if problems:
            return jsonify(success="Dữ liệu chưa hợp lệ", danh_sach_cac_loi=problems), 422
        code = data["ma_don_thuoc"].lower()
        with state.lock:
            if code in state.prescriptions:
                return jsonify(success="Đơn thuốc đã được sử dụng trước đó", danh_sach_cac_loi=[]), 422
            state.prescriptions[code] = {"code": code, "drugs": len(data["thong_tin_don_thuoc"])}
        if state.switches.get("drop"):
            return Response(_cut(), 200)
        return jsonify(success="Gửi đơn thuốc thành công", checksum=secrets.token_hex(8))

    return bp


def _check_prescription(data: dict[str, Any]) -> list[dict[str, str]]:
    problems = []

    def say(field: str, text: str) -> None:
        problems.append({"truong": field, "ma_loi": "", "thong_bao": text})

    code = str(data.get("ma_don_thuoc", ""))
    if not CODE.match(code):
        say("ma_don_thuoc", "Mã đơn sai định dạng")
    elif code[-1].lower() != str(data.get("loai_don_thuoc", "")).lower():
        say("loai_don_thuoc", "Loại đơn không khớp mã đơn")
    for field in ("ho_ten_benh_nhan", "dia_chi", "ngay_gio_ke_don", "hinh_thuc_dieu_tri"):
        if not data.get(field):
            say(field, "Bắt buộc")
    for field in ("chan_doan", "thong_tin_don_thuoc"):
        if not data.get(field):
            say(field, "Cần ít nhất một dòng")
    try:
        born = datetime.strptime(str(data.get("ngay_sinh_benh_nhan")), "%d/%m/%Y").replace(tzinfo=UTC)
        months = (datetime.now(UTC).year - born.year) * 12 + datetime.now(UTC).month - born.month
        if months < 72 and not (data.get("can_nang") and data.get("thong_tin_nguoi_giam_ho")):
            say("can_nang", "Trẻ dưới 72 tháng cần cân nặng và người giám hộ")
    except ValueError:
        say("ngay_sinh_benh_nhan", "Ngày sai")
    return problems
