"""One validated Settings object, read from the environment (prefix ``HIS_``) at start.

A wrong value stops the start with a sentence naming the variable and what it may be.
Fixed values follow the security standard (TCVN 14423:2026, OWASP ASVS 5.0, QĐ 326/QĐ-BYT).
"""

from __future__ import annotations

import difflib
import os
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, Self, get_args, get_origin

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from his.core.errors import SetupError

PROJECT_ROOT = Path(__file__).resolve().parents[2]

DEVELOPMENT_SECRET = "development-only-secret-change-me"  # noqa: S105 - refused in production below


class Settings(BaseSettings):
    """Every setting of the house. Environment variable = ``HIS_`` + upper-case field name."""

    model_config = SettingsConfigDict(env_prefix="HIS_", frozen=True, extra="ignore")

    env: Literal["development", "production", "test"] = Field("development", description="kind of installation")
    secret_key: str = Field(DEVELOPMENT_SECRET, description="32 or more random characters")
    secret_key_fallbacks: str = Field("", description="former secret keys, separated by commas, while rotating")
    var_dir: Path = Field(PROJECT_ROOT / "var", description="folder for the embedded database and files")
    database_url: str = Field("", description="sqlite:///… or postgresql+psycopg://…; empty = embedded SQLite")
    broker_url: str = Field("", description="redis://…, amqp://… or sqla+sqlite:///…; empty = embedded SQLite")
    bind_address: str = Field("127.0.0.1", description="address the web server listens on")
    port: int = Field(8000, ge=1, le=65535, description="local port of the web server")
    web_workers: int = Field(2, ge=1, le=32, description="processes of the web server, four threads each")
    trusted_hosts: str = Field("", description="host names served, separated by commas; empty = any in development")
    proxy_hops: int = Field(0, ge=0, le=5, description="number of trusted reverse proxies in front")
    cookie_secure: bool | None = Field(None, description="cookies over HTTPS only; empty = only in production")
    certificate_files: str = Field("", description="PEM files whose expiry `his check` watches, separated by commas")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least level logged")

    # The hospital. The demo hospital is invented.
    facility_code: str = Field("79999", pattern=r"^[0-9A-Z]{5}$", description="MA_CSKCB, 5 characters (QĐ 384/QĐ-BYT)")
    facility_name: str = Field("Bệnh viện Nhi Bình Minh", min_length=3, description="name on papers")
    facility_short_name: str = Field("Nhi Bình Minh", min_length=2, description="name in the top bar")
    facility_parent: str = Field("Sở Y tế Thành phố Hồ Chí Minh", description="governing body on papers")
    facility_address: str = Field("1 Đường Bình Minh, Phường Sài Gòn, Thành phố Hồ Chí Minh", description="address")
    facility_phone: str = Field("028 3999 9999", description="telephone on papers")
    facility_province: str = Field("79", pattern=r"^\d{2}$", description="two-digit province code (QĐ 19/2025)")
    # Luật BHYT Đ22, NĐ 188/2025 Đ19: what decides routes and rates.
    facility_level: Literal["BD_TYT", "BD", "CB", "CS"] = Field("CB", description="level of the facility: first contact (commune station or other), basic, specialised")
    facility_points: int | None = Field(45, ge=0, le=100, description="score of the facility (điểm xếp cấp)")
    facility_old_tier: Literal["none", "H", "T", "TW"] = Field("none", description="level before 2025")
    public_base_url: str = Field("http://localhost:8000", description="address printed in QR codes")

    # Outside systems: reached by the outbox only (stand-in servers in the demo).
    insurer_url: str = Field("http://127.0.0.1:8099/insurer", description="base address of the insurer's portal")
    insurer_username: str = Field("79999_BV", description="portal account")
    insurer_password: str = Field("demo", description="portal password (sent as the portal demands, never logged)")
    national_rx_url: str = Field("http://127.0.0.1:8099/national-rx", description="national prescription system")
    national_rx_username: str = Field("79999", description="account of the facility")
    national_rx_password: str = Field("demo", description="password of the facility")
    gateway_connect_seconds: float = Field(5, gt=0, le=30, description="seconds to connect to an outside system")
    gateway_total_seconds: float = Field(30, gt=0, le=120, description="seconds for a whole call to an outside system")
    desk_gateway_seconds: float = Field(3, gt=0, le=5, description="seconds the desk waits for a card check at most")

    # Sessions and passwords (TCVN 14423 3.6/4.6; QĐ 326 Đ8).
    idle_minutes: int = Field(15, ge=1, le=60, description="minutes before the screen locks")
    session_hours: int = Field(12, ge=1, le=24, description="hours before a new log-in is needed")
    admin_idle_minutes: int = Field(10, ge=1, le=60, description="minutes before an administrator's screen locks")
    admin_session_hours: int = Field(8, ge=1, le=24, description="hours for administrators")
    login_attempts: int = Field(5, ge=3, le=20, description="wrong log-ins per account in 15 minutes")
    login_attempts_per_address: int = Field(30, ge=5, le=1000, description="wrong log-ins per address in 15 minutes")
    proof_minutes: int = Field(10, ge=1, le=60, description="minutes a signing PIN stays proven")
    argon2_memory_kib: int = Field(65536, ge=16, description="memory of the password hash in KiB")
    argon2_time: int = Field(4, ge=1, description="passes of the password hash")
    max_body_mib: int = Field(10, ge=1, le=100, description="largest request body in MiB")

    # Doubtful points of the law, kept as settings.
    expected_minutes_per_patient: int = Field(6, ge=1, le=60, description="minutes, for the expected time on slips")
    claim_retention_days: int = Field(3650, ge=365, description="days claim files are kept at least")

    @field_validator("var_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value if value.is_absolute() else PROJECT_ROOT / value

    @model_validator(mode="after")
    def _production_is_safe(self) -> Self:
        # SEC-27: no default key, no debug in production.
        if self.env == "production" and (self.secret_key == DEVELOPMENT_SECRET or len(self.secret_key) < 32):
            raise ValueError("HIS_SECRET_KEY|must be 32 or more random characters in production")
        if self.env == "production" and not self.trusted_hosts:
            raise ValueError("HIS_TRUSTED_HOSTS|must name the hosts served in production, for example his.benhvien.vn")
        if self.env == "production" and "demo" in (self.insurer_password, self.national_rx_password):
            raise ValueError("HIS_INSURER_PASSWORD and HIS_NATIONAL_RX_PASSWORD|must be the facility's own in production, not the demo's")
        if self.database_url and not self.database_url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("HIS_DATABASE_URL|must start with sqlite:/// or postgresql+psycopg://")
        if self.broker_url and not self.broker_url.startswith(
            ("redis://", "rediss://", "amqp://", "amqps://", "sqla+", "memory://")
        ):
            raise ValueError("HIS_BROKER_URL|must start with redis://, amqp:// or sqla+sqlite:///")
        for name in ("public_base_url", "insurer_url", "national_rx_url"):
            if not re.match(r"^https?://[^/\s]+", getattr(self, name)):
                raise ValueError(f"HIS_{name.upper()}|must start with http:// or https:// and name a host")
        try:
            ip_address(self.bind_address)
        except ValueError:
            raise ValueError("HIS_BIND_ADDRESS|must be an IP address, 127.0.0.1 or 0.0.0.0 for example") from None
        return self

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def database(self) -> str:
        """The database address in use."""
        return self.database_url or f"sqlite:///{self.var_dir / 'his.sqlite3'}"

    @property
    def broker(self) -> str:
        """The broker address in use (embedded: Kombu's SQLAlchemy transport on its own SQLite file)."""
        return self.broker_url or f"sqla+sqlite:///{self.var_dir / 'broker.sqlite3'}"

    @property
    def secure_cookies(self) -> bool:
        return self.is_production if self.cookie_secure is None else self.cookie_secure


# Names with this prefix that are not settings of the house: tests, benchmarks, the starter.
NOT_SETTINGS = ("HIS_TEST_", "HIS_BENCH_", "HIS_STANDIN_")


def _refuse_unknown_names() -> None:
    """A misspelt variable would silently leave the default in force: stop instead."""
    known = {f"HIS_{name.upper()}" for name in Settings.model_fields}
    unknown = sorted(n for n in os.environ if n.startswith("HIS_") and n not in known and not n.startswith(NOT_SETTINGS))
    if unknown:
        sentences = []
        for name in unknown:
            near = difflib.get_close_matches(name, known, n=1)
            sentences.append(f"{name} is not a setting{f'; did you mean {near[0]}' if near else ''}? See docs/operations.md.")
        raise SetupError("\n".join(sentences))


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment; raise `SetupError` with one sentence per wrong variable."""
    _refuse_unknown_names()
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SetupError("\n".join(_sentence(item) for item in error.errors())) from error


_active: list[Settings] = []


def activate(settings: Settings) -> None:
    """Make these the settings that `current()` returns (done once by `create_app`)."""
    _active[:] = [settings]


def current() -> Settings:
    """Return the settings of the running application (for services; never read the environment elsewhere)."""
    if not _active:
        activate(load_settings())
    return _active[0]


# Values of these are never repeated in a message: they may hold a password.
SECRET_WORDS = ("secret", "password", "url")


def may_be(name: str) -> str:
    """Return in words what a setting may be: its kind, its limits, what it is."""
    field = Settings.model_fields[name]
    parts = []
    kinds = [kind for kind in (get_args(field.annotation) or (field.annotation,)) if kind is not type(None)]
    if get_origin(field.annotation) is Literal:
        return f"one of {', '.join(get_args(field.annotation))} ({field.description})"
    if kinds[0] is bool:
        parts.append("true or false")
    elif kinds[0] in (int, float):
        parts.append("a whole number" if kinds[0] is int else "a number")
    limits = {key: getattr(m, key) for m in field.metadata for key in ("ge", "gt", "le", "lt", "min_length", "pattern") if getattr(m, key, None) is not None}
    if "ge" in limits or "gt" in limits:
        parts.append(f"from {limits['ge']}" if "ge" in limits else f"above {limits['gt']}")
    if "le" in limits:
        parts.append(f"up to {limits['le']}")
    if "min_length" in limits:
        parts.append(f"at least {limits['min_length']} characters")
    if "pattern" in limits:
        parts.append(f"of the shape {limits['pattern']}")
    words = " ".join(parts)
    return f"{words} ({field.description})" if words else str(field.description)


def _sentence(item: Any) -> str:
    message = str(item["msg"])
    if "|" in message:
        name, text = message.removeprefix("Value error, ").split("|", 1)
        return f"{name} {text}."
    name = str(item["loc"][0]) if item["loc"] else ""
    if name not in Settings.model_fields:
        return f"{name}: {message}."
    value = "is wrong" if any(word in name for word in SECRET_WORDS) else f"is {str(item.get('input'))[:60]!r}"
    return f"HIS_{name.upper()} {value}; it may be {may_be(name)}."
