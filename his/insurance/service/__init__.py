"""Use cases of claims: build, rebuild, check, submit, export a month."""

from his.audit import service as audit
from his.insurance.enums import ACTION_DETAILS, Action
from his.insurance.service.build import BuildReport, build_claim, build_claims, digest_of, document_of, rebuild
from his.insurance.service.export import (
    archive_of,
    exports_root,
    fail,
    file_name,
    finish,
    is_packed,
    keep_progress,
    pack,
    put_file,
    record_download,
    record_export_download,
    release_lease,
    renew_lease,
    start_export,
    sweep_parts,
    take_lease,
    write_next,
)
from his.insurance.service.rows import sum_lines
from his.insurance.service.submit import (
    claim_file,
    follow_sendings,
    loai_ho_so,
    queue_sendings,
    record_answer,
    submit,
    submit_month,
)

audit.register_actions(Action, ACTION_DETAILS)

__all__ = [
    "BuildReport",
    "archive_of",
    "build_claim",
    "build_claims",
    "claim_file",
    "digest_of",
    "document_of",
    "exports_root",
    "fail",
    "file_name",
    "finish",
    "follow_sendings",
    "is_packed",
    "keep_progress",
    "loai_ho_so",
    "pack",
    "put_file",
    "queue_sendings",
    "rebuild",
    "record_answer",
    "record_download",
    "record_export_download",
    "release_lease",
    "renew_lease",
    "start_export",
    "submit",
    "submit_month",
    "sum_lines",
    "sweep_parts",
    "take_lease",
    "write_next",
]
