"""Turn published reference lists into the packaged catalogue files: ``python tools/prepare_catalogues.py SOURCE``.

SOURCE holds ``catalogues/`` and ``standards/``. The packaged files have exactly the columns the importers read, so a
hospital replaces any of them by its own approved list with ``his catalogues import``. Prices of the demo hospital's
drugs are invented; all codes of facilities are invented.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
import sys
from collections.abc import Iterable
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "his" / "catalogues" / "data"


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(name: str, columns: list[str], rows: Iterable[dict[str, object]], *, packed: bool = False) -> None:
    """Write a packaged file; big ones are compressed (without a time stamp, so that the bytes repeat)."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    data = out.getvalue().encode()
    TARGET.mkdir(parents=True, exist_ok=True)
    if packed:
        (TARGET / f"{name}.csv.gz").write_bytes(gzip.compress(data, mtime=0))
    else:
        (TARGET / f"{name}.csv").write_bytes(data)


def truth(text: str) -> str:
    """Return 1 or 0."""
    return "1" if text.strip() in ("1", "true", "True") else "0"


def code_lists(source: Path) -> None:
    """All small lists in one file."""
    rows: list[dict[str, object]] = []

    def add(name: str, file: str, code: str, vi: str, en: str = "", extra: tuple[str, ...] = ()) -> None:
        seen = set()
        for row in read(source / file):
            key = row[code].strip()
            if not key or key in seen:
                continue
            seen.add(key)
            more = "|".join(f"{k}={row[k]}" for k in extra if row.get(k))
            rows.append(
                {
                    "list_name": name,
                    "code": key,
                    "name_vi": row[vi],
                    "name_en": row.get(en, "") if en else "",
                    "extra": more,
                }
            )

    add("department", "standards/insurance/departments.csv", "MA_KHOA", "ten_vi")
    add("visit_type", "standards/insurance/visit_types.csv", "MA_LOAI_KCB", "ten_vi", "name_en", ("so_ngay_dtri",))
    add(
        "subject",
        "standards/insurance/subject_codes.csv",
        "MA_DOITUONG_KCB",
        "ten_vi",
        "meaning_en",
        ("route_percent", "times"),
    )
    add(
        "cost_group",
        "standards/insurance/cost_groups.csv",
        "MA_NHOM",
        "ten_vi",
        "name_en",
        ("table", "section_on_bill_01KBCB"),
    )
    add("card_group", "standards/insurance/card_groups.csv", "group_code", "ten_vi", "payer_group", ("benefit_digit",))
    add("route", "standards/prescriptions/routes.csv", "code", "name_vi", "name_en", ("short", "group"))
    add("ethnicity", "catalogues/ethnicities.csv", "code", "name")
    add("nationality", "catalogues/nationalities.csv", "iso2", "name_vi", "name_en", ("iso3", "ma_quoctich_xml"))
    add("occupation", "catalogues/occupations.csv", "code", "name", "", ("level_or_note",))
    add("blood_group", "catalogues/blood_groups.csv", "code", "name_vi")
    for field in ("KET_QUA_DTRI", "MA_LOAI_RV", "MA_LYDO_CT", "MA_TAI_NAN", "MA_PTTT", "PP_VO_CAM"):
        for row in read(source / "standards/insurance/outcome_codes.csv"):
            if row["field"] == field:
                rows.append({"list_name": field.lower(), "code": row["code"], "name_vi": row["ten_vi"],
                             "name_en": row["meaning_en"], "extra": ""})  # fmt: skip
    for row in read(source / "standards/insurance/portal_result_codes.csv"):
        rows.append({"list_name": f"portal_{row['call']}"[:40], "code": row["code"], "name_vi": row["thong_bao_vi"],
                     "name_en": row["class"], "extra": f"what_to_do={row['what_to_do']}"})  # fmt: skip
    unique = {(r["list_name"], r["code"]): r for r in rows}
    write("code_lists", ["list_name", "code", "name_vi", "name_en", "extra"], unique.values())


def icd(source: Path) -> None:
    """ICD-10 with the coding flags; the derived flag of PL E parents is a warning only."""
    rows = []
    for row in read(source / "catalogues/icd10_vi.csv"):
        doubtful = "PL E" in row["c26_basis"]
        rows.append({
            "code": row["code"], "mark": row["mark"], "name_vi": row["name_vi"], "name_en": row["name_en"],
            "chapter": row["chapter"], "type3": row["type3"][:3],
            "is_never_main": "1" if "1" in (truth(row["c24_derived"]), truth(row["not_principal_qd4469"])) else "0",
            "is_discouraged_main": truth(row["c25_derived"]),
            "is_never_used": "0" if doubtful else truth(row["c26_derived"]),
            "is_finer_code_doubtful": "1" if doubtful and truth(row["c26_derived"]) == "1" else "0",
            "is_death_only": truth(row["c27_tt06"]), "sex_only": row["sex_only"],
            "age_min_days": row["age_min_days"], "age_max_days": row["age_max_days"],
        })  # fmt: skip
    write("icd10", list(rows[0]), {r["code"]: r for r in rows}.values(), packed=True)


def fold(text: str) -> str:
    """Same folding as the search of the house."""
    sys.path.insert(0, str(TARGET.parents[2]))
    from his.core.search import fold as house_fold

    return house_fold(text)


def places(source: Path) -> None:
    """Provinces, communes, and where the old units went."""
    write("provinces", ["code", "name"], read(source / "catalogues/provinces.csv"))
    write("communes", ["code", "province_code", "name"], read(source / "catalogues/communes.csv"))
    changes = []
    for row in read(source / "catalogues/communes_old_new.csv"):
        old = ", ".join(p for p in (row["old_commune"], row["old_district"], row["old_province"]) if p)
        changes.append({
            "old_folded": fold(old)[:200], "old_province_code": row["old_province_code"], "old_name": old,
            "new_commune_code": row["new_commune_code"], "is_split": "1" if row["mapping"] == "split" else "0",
            "is_default": truth(row["is_default"]),
        })  # fmt: skip
    unique = {(c["old_folded"], c["new_commune_code"]): c for c in changes}
    write("commune_changes", list(changes[0]), unique.values(), packed=True)


IMAGING = {"2": "imaging", "3": "function", "1": "laboratory", "8": "surgery", "18": "procedure"}
OFFERED_IMAGING = (
    "18.0119.0028", "18.0120.0028", "18.0125.0028", "18.0067.0028", "18.0015.0001", "02.0314.0001", "18.0149.0040",
    "18.0191.0040", "18.0001.0001", "18.0012.0001", "18.0043.0001", "18.0044.0001", "18.0052.0004", "21.0014.1778",
    "02.0085.1778", "21.0040.1777", "02.0024.1791",
)  # fmt: skip


def services(source: Path) -> None:
    """Services and examinations with their prices; the demo hospital offers the common ones."""
    labs = {row["service_code"] for row in read(source / "catalogues/lab_indices.csv") if row["service_code"]}
    rows: dict[str, dict[str, object]] = {}
    for row in read(source / "catalogues/services_sample.csv"):
        kind = IMAGING.get(row["ma_nhom"], "other")
        offered = row["code"] in labs or row["code"] in OFFERED_IMAGING
        machine = {"laboratory": "HH.1.XN0001", "imaging": "HA.1.XQ0001", "function": "CN.1.DT0001"}.get(kind, "")
        price = row["price_vnd"] or "0"
        if not row["name"].strip():
            continue
        rows.setdefault(row["code"], {
            "code": row["code"], "name": row["name"], "cost_group": row["ma_nhom"] or "19", "kind": kind, "unit": "lần",
            "hospital_price": price, "insurance_price": price, "insurance_rate": "100",
            "machine_code": machine if offered else "", "price_basis": row["price_basis"][:60],
            "is_offered": "1" if offered and price != "0" else "0",
        })  # fmt: skip
    for row in read(source / "catalogues/exams_beds_sample.csv"):
        row["price_vnd"] = row["price_vnd"] or "0"
        kind = "exam" if row["kind"] == "exam" else "bed" if "bed" in row["kind"] else "other"
        rows[row["local_code"]] = {
            "code": row["local_code"], "name": row["name"], "cost_group": row["ma_nhom"], "kind": kind,
            "unit": row["unit"], "hospital_price": row["price_vnd"], "insurance_price": row["price_vnd"],
            "insurance_rate": "100", "machine_code": "", "price_basis": row["price_basis"][:60],
            "is_offered": "1" if kind == "exam" else "0",
        }  # fmt: skip
    write("services", list(next(iter(rows.values()))), rows.values(), packed=True)


def lab_indices(source: Path) -> None:
    """Indices with the adult ranges of the list, and children's ranges where they differ much (to be set by each laboratory)."""
    rows = []
    for place, row in enumerate(read(source / "catalogues/lab_indices.csv")):
        if not row["service_code"]:
            continue
        rows.append({
            "code": row["index_code"], "name_vi": row["name_vi"], "name_en": row["name_en"],
            "service_code": row["service_code"], "unit": row["unit"], "specimen": row["specimen"], "loinc": row["loinc"],
            "value_type": row["value_type"], "decimals": row["decimals"] or "0", "age_min_days": "0", "age_max_days": "",
            "male_low": row["ref_male_low"], "male_high": row["ref_male_high"], "female_low": row["ref_female_low"],
            "female_high": row["ref_female_high"], "critical_low": row["critical_low"],
            "critical_high": row["critical_high"], "sort": str(place),
        })  # fmt: skip
    children = {
        "WBC": [("0", "27", "9", "30"), ("28", "2189", "5", "13"), ("2190", "4379", "4.5", "12")],
        "HGB": [("0", "27", "140", "220"), ("28", "2189", "110", "140"), ("2190", "4379", "115", "145")],
    }
    done = []
    for item in rows:
        bands = children.get(str(item["code"]))
        if bands:
            for low_age, high_age, low, high in bands:
                done.append({**item, "age_min_days": low_age, "age_max_days": high_age, "male_low": low,
                             "male_high": high, "female_low": low, "female_high": high})  # fmt: skip
            item = {**item, "age_min_days": "4380"}  # noqa: PLW2901
        done.append(item)
    write("lab_indices", list(done[0]), done)


BASE_PRICE = {"Viên": 900, "Gói": 2800, "Ống": 7500, "Lọ": 32000, "Chai": 24000, "Tuýp": 28000, "Bình": 78000}


def drugs(source: Path) -> None:
    """The demo hospital's list: real ingredients and forms, invented prices and tender."""
    rows = []
    for place, row in enumerate(read(source / "standards/prescriptions/drugs_sample.csv"), start=1):
        unit = re.split(r"[ /(]", row["unit_vi"])[0] or "Viên"
        base = BASE_PRICE.get(unit, 5000)
        spread = int(hashlib.sha256(f"{row['inn']}{row['strength']}".encode()).hexdigest()[:6], 16) % 90 + 55
        price = round(base * spread / 1000) * 10
        insured = bool(row["bhyt_ingredient_code"])
        number = row["registration_no"].replace(" ", "") or f"VD-{90000 + place}-24"
        rows.append({
            "code": f"TH{place:04d}", "ingredient_code": row["bhyt_ingredient_code"], "inn": row["inn"],
            "ingredient_vi": row["ingredient_vi"], "brand": row["brand"], "strength": row["strength"],
            "form": row["form_vi"], "route_code": row["route_code"], "unit": unit, "registration_no": number,
            "tender": "720/QĐ-SYT;G1;N2;2026", "atc": row["atc"], "control_class": row["control_class"],
            "price": str(price), "insurance_price": str(price) if insured else "0", "insurance_rate": "100",
            "cost_group": "4",
        })  # fmt: skip
    write("drugs", list(rows[0]), rows)


def facilities(source: Path) -> None:
    """Facilities of the city with invented codes, and the demo hospital."""
    rows = [
        {
            "code": "79999",
            "name": "Bệnh viện Nhi Bình Minh",
            "level": "cơ bản",
            "address": "1 Đường Bình Minh",
            "province_code": "79",
        }
    ]
    for row in read(source / "catalogues/facilities_sample.csv"):
        rows.append({"code": row["code5_demo"], "name": row["name"], "level": row["technical_level"],
                     "address": row["address"], "province_code": row["province_code"]})  # fmt: skip
    write("facilities", list(rows[0]), rows)


def referral_diseases(source: Path) -> None:
    """The one-year list (seed, to be checked by the hospital)."""
    rows = read(source / "standards/forms/referral-1year-icd.csv")
    write("referral_diseases", ["icd_prefix", "scope", "note"], {r["icd_prefix"]: r for r in rows}.values())


ROOMS = """code,name,place,kind,department_code,exam_service_code,is_open,sort
Q1,Quầy 1,Khu A,desk,K01,,1,1
Q2,Quầy 2,Khu A,desk,K01,,1,2
Q3,Quầy 3,Khu A,desk,K01,,1,3
214,Hô hấp 2,"tầng 2, phòng 214",clinic,K01,KB03,1,11
213,Hô hấp 1,"tầng 2, phòng 213",clinic,K01,KB03,1,12
101,Nhi tổng quát 1,"tầng 1, phòng 101",clinic,K01,KB01,1,13
102,Nhi tổng quát 2,"tầng 1, phòng 102",clinic,K01,KB01,1,14
103,Nhi tổng quát 3,"tầng 1, phòng 103",clinic,K01,KB01,1,15
301,Tai Mũi Họng,"tầng 3, phòng 301",clinic,K01,KB01,1,16
216,Tiêu hóa,"tầng 2, phòng 216",clinic,K01,KB04,1,17
305,Da liễu,"tầng 3, phòng 305",clinic,K01,KB01,1,18
218,Tim mạch,"tầng 2, phòng 218",clinic,K01,KB02,1,19
220,Thần kinh,"tầng 2, phòng 220",clinic,K01,KB01,0,20
XN1,Xét nghiệm,"tầng 1, phòng 110",laboratory,K01,,1,31
CDHA1,Chẩn đoán hình ảnh,"tầng 1, phòng 120",imaging,K01,,1,32
TN1,Thu ngân,"tầng 1, quầy 5",cashier,K01,,1,33
NT1,Nhà thuốc BHYT,"tầng 1, quầy 8",pharmacy,K01,,1,34
"""


def main(source: Path) -> None:
    """Write all packaged files."""
    code_lists(source)
    icd(source)
    places(source)
    services(source)
    lab_indices(source)
    drugs(source)
    facilities(source)
    referral_diseases(source)
    (TARGET / "rooms.csv").write_text(ROOMS, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
