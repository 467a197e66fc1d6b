"""Plain values the checks work on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

SEVERE = re.compile(
    r"severe|life.?threat|nặng|nguy kịch|anaphyla|phản vệ|stevens|\bsjs\b|\bdress\b|\bten\b|toxic epidermal|lyell|angioedema|"
    r"angio-oedema|phù mạch|phù quincke|\bagep\b|bronchospasm|co thắt phế quản"
)
CUTANEOUS = re.compile(
    r"stevens|\bsjs\b|\bdress\b|\bten\b|toxic epidermal|lyell|\bagep\b|hồng ban đa dạng|erythema multiforme|bọng nước"
)
ANGIOEDEMA = re.compile(r"angio-?o?edema|phù mạch|quincke|swelling|sưng (môi|lưỡi|mặt)|anaphyla|phản vệ")
COUGH = re.compile(r"\bcough|\bho\b")
INFUSION = re.compile(r"infusion|red.?man|flush|truyền nhanh|đỏ da khi truyền")


@dataclass(frozen=True, slots=True)
class AllergyFacts:
    """A recorded allergy: the substance (ingredient or family), what happened, how badly; words in Vietnamese or English."""

    substance: str
    reaction: str = ""
    severity: str = ""

    @property
    def words(self) -> str:
        return f"{self.severity} {self.reaction}".lower()

    @property
    def is_severe(self) -> bool:
        return bool(SEVERE.search(self.words))

    @property
    def is_severe_cutaneous(self) -> bool:
        return bool(CUTANEOUS.search(self.words))


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """The patient at the moment of prescribing. ``weight_kg`` in kg; ``egfr`` in ml/min/1,73 m².

    ``pregnant_weeks`` None: not pregnant or not known; ``is_pregnant`` True with no weeks: pregnant, weeks unknown.
    ``context`` holds facts that a rule may ask for; a key that is absent means "not known" and never "no":
    ``facility_has_beds``, ``commitment_signed``, ``form`` (C, N, H), ``periods`` (days of each narcotic period),
    ``acute`` (bool), ``cancer`` (bool), ``qtc`` (ms), ``long_qt`` (bool), and the ``condition`` names of interactions.csv.
    """

    age_months: int
    age_days: int | None = None
    weight_kg: Decimal | None = None
    sex: str = ""
    pregnant_weeks: int | None = None
    lactating: bool = False
    egfr: Decimal | None = None
    allergy_status: str = "none_known"
    allergies: tuple[AllergyFacts, ...] = ()
    diagnoses: tuple[str, ...] = ()
    current_medicines: tuple[str, ...] = ()
    guardian_name: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    is_pregnant: bool = False
    diagnosis_texts: tuple[str, ...] = ()

    @property
    def age_years(self) -> int:
        return self.age_months // 12

    def has(self, *prefixes: str) -> bool:
        """Tell whether a diagnosis begins with one of these codes."""
        return any(code.startswith(prefixes) for code in self.diagnoses)


@dataclass(frozen=True, slots=True)
class RxLine:
    """One medicine as prescribed. ``dose`` is text such as ``2 viên`` or ``3,5 ml``; ``strength`` as the catalogue has it."""

    ingredient: str
    strength: str = ""
    route: str = "1.01"
    dose: str = ""
    times_per_day: int | None = None
    days: int | None = None
    quantity: Decimal | None = None
    frequency: str = "daily"
    unit: str = ""
    control_class: str = ""
    form_class: str = ""
    diagnosis: str = ""
    is_medicine: bool = True


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert: one rule, one tier, the drugs it is about. ``lines`` are positions in the prescription (0-based)."""

    rule: str
    tier: int
    about: tuple[str, ...]
    message: str
    source: str = ""
    suggestion: str = ""
    limit: int | None = None
    lines: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        """What an override names."""
        return ";".join(sorted(self.about))


@dataclass(frozen=True, slots=True)
class Drug:
    """A line (or a current medicine, ``position`` None) with its ingredient names in the form of the data."""

    name: str
    parts: tuple[str, ...]
    line: RxLine
    position: int | None

    @property
    def all_names(self) -> tuple[str, ...]:
        """The combination first, then its parts."""
        return (self.name, *self.parts) if len(self.parts) > 1 else self.parts
