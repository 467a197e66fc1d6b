"""Catalogue tables. Every row says from when to when it is valid; a change closes the old row and opens a new one."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from his.core import clock
from his.core.db import Amount, Base, Id


class Dated:
    """Days on which a row is valid (both included; ``valid_to`` None = until further notice) and where it came from."""

    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    import_id: Mapped[int | None]


class CatalogueImport(Base):
    """One import run: the source document, its digest, and the truthful report."""

    __tablename__ = "catalogue_imports"

    import_id: Mapped[int] = mapped_column(Id, primary_key=True)
    catalogue: Mapped[str] = mapped_column(String(40))
    source: Mapped[str] = mapped_column(String(300))
    digest: Mapped[str] = mapped_column(String(64))
    valid_from: Mapped[date]
    at: Mapped[datetime] = mapped_column(default=clock.now)
    user_id: Mapped[int | None]
    added_count: Mapped[int] = mapped_column(default=0)
    closed_count: Mapped[int] = mapped_column(default=0)
    unchanged_count: Mapped[int] = mapped_column(default=0)
    is_applied: Mapped[bool] = mapped_column(default=False)
    report: Mapped[list[Any]] = mapped_column(JSON, default=list)


class CodeItem(Dated, Base):
    """One value of a small code list: ethnicity, nationality, occupation, route, visit_type, subject and others.

    ``extra`` keeps the list's further columns.
    """

    __tablename__ = "code_items"
    __table_args__ = (UniqueConstraint("list_name", "code", "valid_from"),)

    item_id: Mapped[int] = mapped_column(Id, primary_key=True)
    list_name: Mapped[str] = mapped_column(String(40), index=True)
    code: Mapped[str] = mapped_column(String(20))
    name_vi: Mapped[str] = mapped_column(String(500))
    name_en: Mapped[str] = mapped_column(String(500), default="")
    extra: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class IcdCode(Dated, Base):
    """A diagnosis code (ICD-10 in Vietnamese, QĐ 4469/QĐ-BYT, flags after TT 06/2026 columns 24-29)."""

    __tablename__ = "icd_codes"
    __table_args__ = (UniqueConstraint("code", "valid_from"),)

    icd_id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(8), index=True)
    mark: Mapped[str] = mapped_column(String(1), default="")
    name_vi: Mapped[str] = mapped_column(String(500))
    name_en: Mapped[str] = mapped_column(String(500), default="")
    chapter: Mapped[str] = mapped_column(String(8), default="")
    type3: Mapped[str] = mapped_column(String(3), default="")
    is_never_main: Mapped[bool] = mapped_column(default=False)  # column 24
    is_discouraged_main: Mapped[bool] = mapped_column(default=False)  # column 25
    is_never_used: Mapped[bool] = mapped_column(default=False)  # column 26: a finer code exists
    is_finer_code_doubtful: Mapped[bool] = mapped_column(default=False)  # column 26 by PL E only: warning
    is_death_only: Mapped[bool] = mapped_column(default=False)  # column 27
    sex_only: Mapped[str] = mapped_column(String(1), default="")
    age_min_days: Mapped[int | None]
    age_max_days: Mapped[int | None]


class Province(Dated, Base):
    """A province or city (QĐ 19/2025/QĐ-TTg)."""

    __tablename__ = "provinces"
    __table_args__ = (UniqueConstraint("code", "valid_from"),)

    province_id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(2), index=True)
    name: Mapped[str] = mapped_column(String(80))


class Commune(Dated, Base):
    """A commune, ward or special zone (QĐ 19/2025/QĐ-TTg)."""

    __tablename__ = "communes"
    __table_args__ = (UniqueConstraint("code", "valid_from"),)

    commune_id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(5), index=True)
    province_code: Mapped[str] = mapped_column(String(2), index=True)
    name: Mapped[str] = mapped_column(String(80))


class CommuneChange(Base):
    """Where an old three-level unit went on 2025-07-01; a split unit has several rows, one marked likeliest."""

    __tablename__ = "commune_changes"
    __table_args__ = (Index("ix_commune_changes_folded", "old_folded"),)

    change_id: Mapped[int] = mapped_column(Id, primary_key=True)
    old_folded: Mapped[str] = mapped_column(String(200))
    old_province_code: Mapped[str] = mapped_column(String(2))
    old_name: Mapped[str] = mapped_column(String(200))
    new_commune_code: Mapped[str] = mapped_column(String(5))
    is_split: Mapped[bool] = mapped_column(default=False)
    is_default: Mapped[bool] = mapped_column(default=True)


class Facility(Dated, Base):
    """A health facility of the insurer's list (QĐ 384/QĐ-BYT codes)."""

    __tablename__ = "facilities"
    __table_args__ = (UniqueConstraint("code", "valid_from"),)

    facility_id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(5), index=True)
    name: Mapped[str] = mapped_column(String(200))
    level: Mapped[str] = mapped_column(String(20), default="")  # ban đầu / cơ bản / chuyên sâu
    address: Mapped[str] = mapped_column(String(300), default="")
    province_code: Mapped[str] = mapped_column(String(2), default="")


class Room(Dated, Base):
    """A room of this hospital where people queue or work: clinic, laboratory, imaging, cashier, pharmacy, desk."""

    __tablename__ = "rooms"
    __table_args__ = (UniqueConstraint("code", "valid_from"),)

    room_id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(12), index=True)  # "214"
    name: Mapped[str] = mapped_column(String(120))  # "Hô hấp 2"
    place: Mapped[str] = mapped_column(String(120), default="")  # "tầng 2, phòng 214"
    kind: Mapped[str] = mapped_column(String(16))  # clinic, laboratory, imaging, cashier, pharmacy, desk
    department_code: Mapped[str] = mapped_column(String(20))  # MA_KHOA, QĐ 1804/2026
    exam_service_code: Mapped[str] = mapped_column(String(24), default="")
    is_open: Mapped[bool] = mapped_column(default=True)
    sort: Mapped[int] = mapped_column(default=0)


class Service(Dated, Base):
    """A service, examination or bed day with the prices valid in its days (TT 21/2024: the hospital's approved list)."""

    __tablename__ = "services"
    __table_args__ = (
        UniqueConstraint("code", "valid_from"),
        CheckConstraint("hospital_price >= 0 AND insurance_price >= 0", name="price_not_negative"),
    )

    service_id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(24), index=True)
    name: Mapped[str] = mapped_column(String(500))
    cost_group: Mapped[str] = mapped_column(String(2))  # MA_NHOM
    kind: Mapped[str] = mapped_column(String(16))  # exam, laboratory, imaging, function, procedure, surgery, bed, other
    unit: Mapped[str] = mapped_column(String(20), default="lần")
    hospital_price: Mapped[Decimal] = mapped_column(Amount(2))  # DON_GIA_BV
    insurance_price: Mapped[Decimal] = mapped_column(Amount(2))  # DON_GIA_BH; 0 = outside the fund's scope
    insurance_rate: Mapped[int] = mapped_column(default=100)  # TYLE_TT_BH
    machine_code: Mapped[str] = mapped_column(String(60), default="")  # MA_MAY for groups 1-3
    price_basis: Mapped[str] = mapped_column(String(60), default="")
    is_offered: Mapped[bool] = mapped_column(default=False)  # on this hospital's order screen


class LabIndex(Dated, Base):
    """One measured quantity of a laboratory service, with its reference range by sex and age."""

    __tablename__ = "lab_indices"
    __table_args__ = (UniqueConstraint("code", "age_min_days", "valid_from"),)

    index_id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(24), index=True)
    name_vi: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200), default="")
    service_code: Mapped[str] = mapped_column(String(24), index=True)
    unit: Mapped[str] = mapped_column(String(24), default="")
    specimen: Mapped[str] = mapped_column(String(80), default="")
    loinc: Mapped[str] = mapped_column(String(12), default="")
    value_type: Mapped[str] = mapped_column(String(8), default="num")  # num, text, coded
    decimals: Mapped[int] = mapped_column(default=0)
    age_min_days: Mapped[int] = mapped_column(default=0)
    age_max_days: Mapped[int | None]
    male_low: Mapped[Decimal | None] = mapped_column(Amount(3))
    male_high: Mapped[Decimal | None] = mapped_column(Amount(3))
    female_low: Mapped[Decimal | None] = mapped_column(Amount(3))
    female_high: Mapped[Decimal | None] = mapped_column(Amount(3))
    critical_low: Mapped[Decimal | None] = mapped_column(Amount(3))
    critical_high: Mapped[Decimal | None] = mapped_column(Amount(3))
    sort: Mapped[int] = mapped_column(default=0)


class Drug(Dated, Base):
    """A product of the hospital's list (Mẫu 03 of the insurer's catalogue)."""

    __tablename__ = "drugs"
    __table_args__ = (
        UniqueConstraint("code", "valid_from"),
        CheckConstraint("price >= 0 AND insurance_price >= 0", name="price_not_negative"),
    )

    drug_id: Mapped[int] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(24), index=True)  # the hospital's own product code
    ingredient_code: Mapped[str] = mapped_column(String(40), default="")  # MA_THUOC 40.xxx
    inn: Mapped[str] = mapped_column(String(300))  # ingredients by INN, joined with "/"
    ingredient_vi: Mapped[str] = mapped_column(String(300))
    brand: Mapped[str] = mapped_column(String(200), default="")
    strength: Mapped[str] = mapped_column(String(120), default="")
    form: Mapped[str] = mapped_column(String(120), default="")
    route_code: Mapped[str] = mapped_column(String(8))
    unit: Mapped[str] = mapped_column(String(24))
    registration_no: Mapped[str] = mapped_column(String(40), default="")
    tender: Mapped[str] = mapped_column(String(120), default="")  # TT_THAU decision;package;group;year
    atc: Mapped[str] = mapped_column(String(8), default="")
    control_class: Mapped[str] = mapped_column(String(16), default="normal")
    price: Mapped[Decimal] = mapped_column(Amount(2))
    insurance_price: Mapped[Decimal] = mapped_column(Amount(2))  # 0 = outside the insured list
    insurance_rate: Mapped[int] = mapped_column(default=100)  # TYLE_TT_BH
    cost_group: Mapped[str] = mapped_column(String(2), default="4")


class Holiday(Base):
    """A day off by law or by the hospital's own table (working days decide the validity of referral papers)."""

    __tablename__ = "holidays"

    day: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(200), default="")


class ReferralDisease(Dated, Base):
    """Diagnoses for which a referral paper is suggested to be valid one year (TT 01/2025 Phụ lục III, seed)."""

    __tablename__ = "referral_diseases"
    __table_args__ = (UniqueConstraint("icd_prefix", "valid_from"),)

    disease_id: Mapped[int] = mapped_column(Id, primary_key=True)
    icd_prefix: Mapped[str] = mapped_column(String(8), index=True)
    scope: Mapped[str] = mapped_column(String(24))
    note: Mapped[str] = mapped_column(Text, default="")
