"""Vital signs, the examination note with its server-side draft, diagnoses."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from his.core import clock
from his.core.db import Amount, Base, Id, enum_column
from his.examination.enums import DiagnosisKind, NoteState


class VitalSigns(Base):
    """One set of measurements. Wrong ones are voided."""

    __tablename__ = "vital_signs"

    vitals_id: Mapped[int] = mapped_column(Id, primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.visit_id"), index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patients.patient_id"), index=True)
    measured_at: Mapped[datetime] = mapped_column(default=clock.now)
    recorded_by_id: Mapped[int | None]
    pulse: Mapped[int | None]  # /min
    temperature: Mapped[Decimal | None] = mapped_column(Amount(1))  # °C
    respiration: Mapped[int | None]  # /min
    systolic: Mapped[int | None]  # mmHg
    diastolic: Mapped[int | None]  # mmHg
    spo2: Mapped[int | None]  # %
    weight_kg: Mapped[Decimal | None] = mapped_column(Amount(2))
    height_cm: Mapped[Decimal | None] = mapped_column(Amount(1))
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str] = mapped_column(String(300), default="")


class ExamNote(Base):
    """The note of one visit. A draft is the author's; closing makes it part of the record, a change supersedes it."""

    __tablename__ = "exam_notes"
    __table_args__ = (
        CheckConstraint("(state = 'draft') = (closed_at IS NULL)", name="closed_has_time"),
        Index(
            "uq_exam_notes_current",
            "visit_id",
            unique=True,
            postgresql_where=text("state <> 'superseded'"),
            sqlite_where=text("state <> 'superseded'"),
        ),
    )

    note_id: Mapped[int] = mapped_column(Id, primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.visit_id"))
    state: Mapped[NoteState] = mapped_column(enum_column(NoteState), default=NoteState.DRAFT)
    history: Mapped[str] = mapped_column(Text, default="")  # bệnh sử
    past_history: Mapped[str] = mapped_column(Text, default="")  # tiền sử
    findings: Mapped[str] = mapped_column(Text, default="")  # khám
    conclusion: Mapped[str] = mapped_column(Text, default="")  # kết luận, hướng điều trị
    advice: Mapped[str] = mapped_column(Text, default="")  # lời dặn
    follow_up_on: Mapped[date | None]
    follow_up_number: Mapped[str] = mapped_column(String(50), default="")
    author_id: Mapped[int | None]
    author_name: Mapped[str] = mapped_column(String(120), default="")
    saved_at: Mapped[datetime] = mapped_column(default=clock.now)
    closed_at: Mapped[datetime | None]
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("exam_notes.note_id"))
    change_reason: Mapped[str] = mapped_column(String(300), default="")
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


DRAFT_CLOSED = 2_147_483_647


class NoteDraft(Base):
    """What is being typed, field by field, saved every few seconds; one row per visit and author.

    ``page_key`` names the open page that wrote last and ``client_counter`` numbers its packets: an older packet of the
    same page changes nothing, and a page that did not start from what is stored is told so instead of overwriting it.
    """

    __tablename__ = "note_drafts"
    __table_args__ = (UniqueConstraint("visit_id", "author_id"),)

    draft_id: Mapped[int] = mapped_column(Id, primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.visit_id"))
    author_id: Mapped[int]
    fields: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    page_key: Mapped[str] = mapped_column(String(40), default="")
    client_counter: Mapped[int] = mapped_column(default=0)  # `DRAFT_CLOSED`: that page's draft became a note
    saved_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def token(self) -> str:
        """Which state of the draft this is: the page that wrote it and its packet number."""
        return f"{self.page_key}:{self.client_counter}"


class Diagnosis(Base):
    """One diagnosis of a visit under an ICD-10 code as the list was on the day."""

    __tablename__ = "diagnoses"
    __table_args__ = (
        UniqueConstraint("visit_id", "icd_code"),
        Index(
            "uq_diagnoses_main",
            "visit_id",
            unique=True,
            postgresql_where=text("kind = 'main'"),
            sqlite_where=text("kind = 'main'"),
        ),
    )

    diagnosis_id: Mapped[int] = mapped_column(Id, primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.visit_id"))
    kind: Mapped[DiagnosisKind] = mapped_column(enum_column(DiagnosisKind))
    icd_code: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(500))
    position: Mapped[int] = mapped_column(default=0)
    recorded_at: Mapped[datetime] = mapped_column(default=clock.now)
    recorded_by_id: Mapped[int | None]
