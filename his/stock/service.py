"""Use cases of the ledger. Every change locks its lots; a lot never goes below zero (REL-23)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from his.audit import service as audit
from his.core import clock
from his.core.actor import Actor
from his.core.db import session
from his.core.i18n import decimal_text
from his.core.once import once
from his.stock import queries, rules
from his.stock.enums import ACTION_DETAILS, Action, MovementKind, ReservationState
from his.stock.errors import BadQuantity, LotExpired, LotNotFound, StockShort
from his.stock.models import StockLot, StockMovement, StockReservation

audit.register_actions(Action, ACTION_DETAILS)

MAIN_STORE = "NT1"
# Pure decisions other modules preview.
LotFacts = rules.LotFacts
allocate = rules.allocate
Allocation = rules.Allocation


def receive(
    *, drug_code: str, lot_number: str, expires_on: date, quantity: Decimal, actor: Actor, store_code: str = MAIN_STORE,
    reason: str = "", key: str = "",
) -> StockLot:  # fmt: skip
    """Bring a quantity of a lot into the store; with a form's one-time ``key`` a double click brings it once.

    Raises `BadQuantity` (not positive, expired on arrival, no lot number).
    """
    if not key:
        return _receive(drug_code, lot_number, expires_on, quantity, store_code, reason, actor)
    result = once(
        key, action="stock.receive", actor=actor,
        body={"drug": drug_code, "lot": lot_number, "expires": expires_on, "quantity": str(quantity)},
        effect=lambda: {"lot_id": _receive(drug_code, lot_number, expires_on, quantity, store_code, reason, actor).lot_id},
    )  # fmt: skip
    return session().get_one(StockLot, result["lot_id"])


def _receive(
    drug_code: str, lot_number: str, expires_on: date, quantity: Decimal, store_code: str, reason: str, actor: Actor
) -> StockLot:
    if quantity <= 0:
        raise BadQuantity("Số lượng nhập phải lớn hơn 0.")
    if expires_on < clock.today():
        raise LotExpired("Lô này đã hết hạn dùng. Kiểm tra lại hạn trên bao bì.")
    here = session()
    lot_number = lot_number.strip()
    if not lot_number:
        raise BadQuantity("Số lô: chưa nhập.")
    lot = _lot(store_code, drug_code, lot_number, expires_on)
    if lot is None:
        lot = StockLot(
            store_code=store_code,
            drug_code=drug_code,
            lot_number=lot_number,
            expires_on=expires_on,
            quantity=Decimal(0),
        )
        try:
            with here.begin_nested():
                here.add(lot)
                here.flush()  # the movement points to the lot; another desk may bring the same lot this moment
        except IntegrityError:
            lot = _lot(store_code, drug_code, lot_number, expires_on)
            if lot is None:
                raise
    lot.quantity += quantity
    here.add(
        StockMovement(
            lot_id=lot.lot_id, kind=MovementKind.RECEIPT, quantity=quantity, by_id=actor.user_id, reason=reason[:300]
        )
    )
    audit.record(actor, Action.RECEIVE, subject_type="stock_lot", subject_id=lot.lot_id,
                 details={"drug": drug_code, "lot": lot_number, "quantity": str(quantity)})  # fmt: skip
    return lot


def _lot(store_code: str, drug_code: str, lot_number: str, expires_on: date) -> StockLot | None:
    return (
        session()
        .execute(
            select(StockLot)
            .where(
                StockLot.store_code == store_code,
                StockLot.drug_code == drug_code,
                StockLot.lot_number == lot_number,
                StockLot.expires_on == expires_on,
            )
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        .scalar_one_or_none()
    )


def _locked_lots(drug_code: str) -> list[StockLot]:
    """Lock the lots of a product, always in the same order, so that two counters wait instead of dead-locking."""
    return list(
        session()
        .execute(
            select(StockLot)
            .where(StockLot.drug_code == drug_code)
            .order_by(StockLot.lot_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        .scalars()
    )


def _facts(lots: list[StockLot]) -> list[rules.LotFacts]:
    return [rules.LotFacts(lot.lot_id, lot.lot_number, lot.expires_on, lot.quantity) for lot in lots]


def reserve(
    drug_code: str, quantity: Decimal, *, source_kind: str, source_id: int, name: str = "", until: date | None = None,
    actor: Actor,
) -> StockReservation:  # fmt: skip
    """Hold a quantity for a signed prescription line. Raises `StockShort` naming what is left.

    ``until`` is the last day of the course: lots that expire before do not count.
    """
    lots = _locked_lots(drug_code)
    on_hand = rules.usable(_facts(lots), until or clock.today())
    row = next(iter(queries.rows([drug_code])), None)
    left = on_hand - (row.held if row else Decimal(0))
    if left < quantity:
        raise StockShort(
            f"{name or drug_code}: kho còn {decimal_text(max(left, Decimal(0)))}, cần {decimal_text(quantity)}. "
            "Giảm số lượng, đổi thuốc hoặc kê mua ngoài."
        )
    reservation = StockReservation(drug_code=drug_code, quantity=quantity, source_kind=source_kind, source_id=source_id)
    session().add(reservation)
    session().flush()  # the audit entry names the row
    audit.record(actor, Action.RESERVE, subject_type="stock_reservation", subject_id=reservation.reservation_id,
                 details={"drug": drug_code, "quantity": str(quantity)})  # fmt: skip
    return reservation


def release(source_kind: str, source_id: int, *, actor: Actor) -> None:
    """Give back what was held for a line that is no longer wanted."""
    reservation = _reservation(source_kind, source_id)
    if reservation is None or reservation.state is not ReservationState.HELD:
        return
    reservation.state = ReservationState.RELEASED
    audit.record(actor, Action.RELEASE, subject_type="stock_reservation", subject_id=reservation.reservation_id,
                 details={"drug": reservation.drug_code, "quantity": str(reservation.quantity)})  # fmt: skip


def _reservation(source_kind: str, source_id: int) -> StockReservation | None:
    return (
        session()
        .execute(
            select(StockReservation)
            .where(StockReservation.source_kind == source_kind, StockReservation.source_id == source_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        .scalar_one_or_none()
    )


def issue(
    drug_code: str, quantity: Decimal, *, source_kind: str, source_id: int, name: str = "", until: date | None = None,
    actor: Actor,
) -> tuple[Allocation, ...]:  # fmt: skip
    """Take a quantity out of the store, first expiry first, and close the reservation of the same source.

    ``until`` is the last day of the course: lots that expire before are skipped. What is held for others stays held.
    Raises `StockShort`; nothing is taken then.
    """
    lots = _locked_lots(drug_code)
    last = until or clock.today()
    left = rules.usable(_facts(lots), last)
    reservation = _reservation(source_kind, source_id)
    if reservation is None or reservation.state is not ReservationState.HELD:
        row = next(iter(queries.rows([drug_code])), None)
        left -= row.held if row else Decimal(0)
    allocations = rules.allocate(_facts(lots), quantity, last) if left >= quantity else ()
    if not allocations:
        raise StockShort(
            f"{name or drug_code}: kho còn {decimal_text(max(left, Decimal(0)))} đủ hạn dùng, cần {decimal_text(quantity)}. "
            "Nhập thêm lô hoặc báo bác sĩ đổi thuốc."
        )
    by_id = {lot.lot_id: lot for lot in lots}
    here = session()
    for part in allocations:
        by_id[part.lot_id].quantity -= part.quantity
        here.add(
            StockMovement(
                lot_id=part.lot_id,
                kind=MovementKind.ISSUE,
                quantity=-part.quantity,
                source_kind=source_kind,
                source_id=source_id,
                by_id=actor.user_id,
            )
        )
    if reservation is not None:
        reservation.state = ReservationState.ISSUED
    audit.record(
        actor, Action.ISSUE, subject_type=source_kind, subject_id=source_id,
        details={"drug": drug_code, "lots": [part.lot_number for part in allocations], "quantity": str(quantity)},
    )  # fmt: skip
    return allocations


def take_back(source_kind: str, source_id: int, *, reason: str, actor: Actor) -> None:
    """Return what was issued for a source to the very lots it came from, and hold it again for the same source."""
    here = session()
    issued = (
        here.execute(
            select(StockMovement).where(
                StockMovement.source_kind == source_kind,
                StockMovement.source_id == source_id,
                StockMovement.kind.in_((MovementKind.ISSUE, MovementKind.RETURN)),
            )
        )
        .scalars()
        .all()
    )
    balance: dict[int, Decimal] = {}
    for movement in issued:
        balance[movement.lot_id] = balance.get(movement.lot_id, Decimal(0)) + movement.quantity
    lots = []
    for lot_id, quantity in sorted(balance.items()):
        if quantity >= 0:
            continue
        lot = here.get_one(StockLot, lot_id, with_for_update=True, populate_existing=True)
        lot.quantity -= quantity
        lots.append(lot.lot_number)
        here.add(
            StockMovement(
                lot_id=lot_id,
                kind=MovementKind.RETURN,
                quantity=-quantity,
                source_kind=source_kind,
                source_id=source_id,
                by_id=actor.user_id,
                reason=reason,
            )
        )
    reservation = _reservation(source_kind, source_id)
    if reservation is not None and reservation.state is ReservationState.ISSUED:
        reservation.state = ReservationState.HELD
    audit.record(actor, Action.RETURN, subject_type=source_kind, subject_id=source_id, reason=reason,
                 details={"lots": lots})  # fmt: skip


def correct(lot_id: int, counted: Decimal, *, reason: str, actor: Actor) -> StockLot:
    """Set a lot to what was counted, by a movement with a reason."""
    if counted < 0:
        raise BadQuantity("Số đếm được không thể âm.")
    if len(reason.strip()) < 5:
        raise BadQuantity("Ghi lý do điều chỉnh, ít nhất 5 ký tự.")
    here = session()
    lot = here.get(StockLot, lot_id, with_for_update=True, populate_existing=True)
    if lot is None:
        raise LotNotFound("Không tìm thấy lô này.")
    difference = counted - lot.quantity
    if difference != 0:
        here.add(StockMovement(lot_id=lot_id, kind=MovementKind.CORRECTION, quantity=difference,
                               by_id=actor.user_id, reason=reason))  # fmt: skip
        here.execute(update(StockLot).where(StockLot.lot_id == lot_id).values(quantity=counted))
        here.refresh(lot)
        audit.record(actor, Action.CORRECT, subject_type="stock_lot", subject_id=lot_id, reason=reason,
                     details={"drug": lot.drug_code, "lot": lot.lot_number, "quantity": str(difference)})  # fmt: skip
    return lot
