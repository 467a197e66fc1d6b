"""Patients, their identifiers, cards and allergies, and the visit every other row hangs on."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from his.core import clock
from his.core.db import Amount, Base, Id, enum_column
from his.records.enums import (
    AllergyStatus,
    BirthPrecision,
    CoverageSource,
    GuardianKind,
    IdentifierType,
    PatientStatus,
    Sex,
    VisitState,
)


class Patient(Base):
    """A person (người bệnh). ``code`` is MA_BN; ``full_name`` keeps its original spelling."""

    __tablename__ = "patients"
    __table_args__ = (CheckConstraint("length(full_name) BETWEEN 1 AND 255", name="name_length"),)

    patient_id: Mapped[int] = mapped_column(Id, primary_key=True)
    facility_code: Mapped[str] = mapped_column(String(5))
    code: Mapped[str] = mapped_column(String(20), unique=True)
    full_name: Mapped[str] = mapped_column(String(255))
    birth_on: Mapped[date]
    birth_precision: Mapped[BirthPrecision] = mapped_column(enum_column(BirthPrecision), default=BirthPrecision.DAY)
    birth_time: Mapped[str] = mapped_column(String(4), default="")  # HHMM, needed up to 28 days of age
    sex: Mapped[Sex] = mapped_column(enum_column(Sex))
    status: Mapped[PatientStatus] = mapped_column(enum_column(PatientStatus), default=PatientStatus.KNOWN)
    phone: Mapped[str] = mapped_column(String(20), default="")
    address_line: Mapped[str] = mapped_column(String(500), default="")  # house, street
    commune_code: Mapped[str] = mapped_column(String(5), default="")
    province_code: Mapped[str] = mapped_column(String(2), default="")
    address_text: Mapped[str] = mapped_column(String(1024), default="")  # printed form
    ethnicity_code: Mapped[str] = mapped_column(String(2), default="01")
    nationality_code: Mapped[str] = mapped_column(String(2), default="VN")
    occupation_code: Mapped[str] = mapped_column(String(5), default="00000")
    workplace: Mapped[str] = mapped_column(String(255), default="")
    blood_group: Mapped[str] = mapped_column(String(5), default="")
    allergy_status: Mapped[AllergyStatus] = mapped_column(enum_column(AllergyStatus), default=AllergyStatus.UNKNOWN)
    is_sensitive: Mapped[bool] = mapped_column(default=False)
    died_on: Mapped[date | None]
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("patients.patient_id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_by_id: Mapped[int | None]
    version: Mapped[int] = mapped_column()

    identifiers: Mapped[list[PatientIdentifier]] = relationship(order_by="PatientIdentifier.identifier_id")
    guardians: Mapped[list[Guardian]] = relationship(order_by="Guardian.guardian_id")
    allergies: Mapped[list[Allergy]] = relationship(order_by="Allergy.allergy_id")
    coverages: Mapped[list[Coverage]] = relationship(order_by="Coverage.coverage_id.desc()")

    __mapper_args__ = {"version_id_col": version}


class PatientIdentifier(Base):
    """A number that names the person; unique only among current personal numbers."""

    __tablename__ = "patient_identifiers"
    __table_args__ = (
        Index(
            "uq_patient_identifiers_personal",
            "value",
            unique=True,
            postgresql_where=text("type = 'SDDCN' AND valid_to IS NULL"),
            sqlite_where=text("type = 'SDDCN' AND valid_to IS NULL"),
        ),
        Index("ix_patient_identifiers_value", "value"),
    )

    identifier_id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.patient_id"), index=True)
    type: Mapped[IdentifierType] = mapped_column(enum_column(IdentifierType))
    value: Mapped[str] = mapped_column(String(40))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    source: Mapped[str] = mapped_column(String(40), default="")


class Guardian(Base):
    """Mother, father, guardian or companion of a patient."""

    __tablename__ = "guardians"

    guardian_id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.patient_id"), index=True)
    kind: Mapped[GuardianKind] = mapped_column(enum_column(GuardianKind))
    full_name: Mapped[str] = mapped_column(String(255))
    personal_number: Mapped[str] = mapped_column(String(20), default="")
    phone: Mapped[str] = mapped_column(String(20), default="")


class Allergy(Base):
    """A recorded allergy. Wrong entries are voided, never deleted."""

    __tablename__ = "allergies"

    allergy_id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.patient_id"), index=True)
    substance: Mapped[str] = mapped_column(String(200))  # INN where it is a medicine
    reaction: Mapped[str] = mapped_column(String(200), default="")
    severity: Mapped[str] = mapped_column(String(16), default="")  # mild, moderate, severe
    noted_on: Mapped[date | None]
    recorded_at: Mapped[datetime] = mapped_column(default=clock.now)
    recorded_by_id: Mapped[int | None]
    voided_at: Mapped[datetime | None]
    voided_by_id: Mapped[int | None]
    void_reason: Mapped[str] = mapped_column(String(300), default="")


class Coverage(Base):
    """A health insurance card as known at some time (thẻ BHYT)."""

    __tablename__ = "coverages"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="period"),
        Index("ix_coverages_card_number", "card_number"),
    )

    coverage_id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.patient_id"), index=True)
    card_number: Mapped[str] = mapped_column(String(15))
    registered_facility_code: Mapped[str] = mapped_column(String(5), default="")  # MA_DKBD
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    living_area: Mapped[str] = mapped_column(String(2), default="")  # MA_KHUVUC K1-K3
    five_years_on: Mapped[date | None]
    is_copay_exempt: Mapped[bool] = mapped_column(default=False)  # five years and six months reached
    source: Mapped[CoverageSource] = mapped_column(enum_column(CoverageSource))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Visit(Base):
    """One visit (lượt khám). ``code`` is MA_LK: one per visit, never reused."""

    __tablename__ = "visits"
    __table_args__ = (
        CheckConstraint(
            "(state IN ('concluded', 'closed')) = (ended_at IS NOT NULL)", name="ended_when_concluded"
        ),
        Index("ix_visits_patient_day", "patient_id", "service_on"),
        Index("ix_visits_room_state", "room_code", "service_on", "state"),
        Index("ix_visits_ended", "ended_at"),
        Index("ix_visits_day", "service_on", "state"),
    )

    visit_id: Mapped[int] = mapped_column(Id, primary_key=True)
    facility_code: Mapped[str] = mapped_column(String(5))
    code: Mapped[str] = mapped_column(String(40), unique=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.patient_id"))
    coverage_id: Mapped[int | None] = mapped_column(ForeignKey("coverages.coverage_id"))
    service_on: Mapped[date]
    state: Mapped[VisitState] = mapped_column(enum_column(VisitState), default=VisitState.OPEN)
    visit_type_code: Mapped[str] = mapped_column(String(2), default="01")  # MA_LOAI_KCB
    subject_code: Mapped[str] = mapped_column(String(5), default="9")  # MA_DOITUONG_KCB
    subject_reason: Mapped[str] = mapped_column(String(500), default="")
    benefit_rate: Mapped[str] = mapped_column(String(5), default="")  # expected MUC_HUONG, "" = no insurance
    route: Mapped[str] = mapped_column(String(16), default="KHONG_BHYT")  # facts behind the subject code
    room_code: Mapped[str] = mapped_column(String(12))
    department_code: Mapped[str] = mapped_column(String(20))  # MA_KHOA
    reason: Mapped[str] = mapped_column(String(500), default="")  # why the patient comes
    guardian_name: Mapped[str] = mapped_column(String(255), default="")
    guardian_phone: Mapped[str] = mapped_column(String(20), default="")
    weight_kg: Mapped[Decimal | None] = mapped_column(Amount(2))
    priority: Mapped[str] = mapped_column(String(16), default="normal")
    is_emergency: Mapped[bool] = mapped_column(default=False)
    # Incoming referral or follow-up slip (R9): number, sender, signing day, one-year flag.
    incoming_paper_kind: Mapped[str] = mapped_column(String(16), default="")  # "", transfer, follow_up
    incoming_paper_number: Mapped[str] = mapped_column(String(50), default="")
    incoming_facility_code: Mapped[str] = mapped_column(String(5), default="")
    incoming_signed_on: Mapped[date | None]
    incoming_is_one_year: Mapped[bool] = mapped_column(default=False)
    # Times of the visit.
    arrived_at: Mapped[datetime] = mapped_column(default=clock.now)
    registered_at: Mapped[datetime] = mapped_column(default=clock.now)
    called_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    tests_ordered_at: Mapped[datetime | None]  # newer than tests_done_at: results are awaited
    tests_done_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    dispensed_at: Mapped[datetime | None]
    # End of the visit.
    ended_at: Mapped[datetime | None]  # NGAY_RA
    discharge_code: Mapped[str] = mapped_column(String(2), default="")  # MA_LOAI_RV
    result_code: Mapped[str] = mapped_column(String(2), default="")  # KET_QUA_DTRI
    destination_facility_code: Mapped[str] = mapped_column(String(5), default="")  # MA_NOI_DEN
    doctor_id: Mapped[int | None]
    doctor_licence: Mapped[str] = mapped_column(String(255), default="")
    main_icd: Mapped[str] = mapped_column(String(8), default="")  # copied at conclusion for lists
    main_icd_name: Mapped[str] = mapped_column(Text, default="")
    created_by_id: Mapped[int | None]
    cancelled_reason: Mapped[str] = mapped_column(String(300), default="")
    version: Mapped[int] = mapped_column()

    patient: Mapped[Patient] = relationship()
    coverage: Mapped[Coverage | None] = relationship()

    __mapper_args__ = {"version_id_col": version}
