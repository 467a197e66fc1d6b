"""Fill the stack's database with many claims of this month: one real journey, copied. Run as a process of its own."""

from __future__ import annotations

import sys

from his.app import create_app
from his.core.db import transaction
from his.identity.service import seed_roles
from tests.factories import insurance as made


def main(count: int) -> None:
    """Make ``count`` claims; prints the month."""
    app = create_app(part="cli")
    with app.app_context():
        with transaction():
            seed_roles()
        staff = made.ready()
        claim = made.claim_of(staff, made.journey(staff, "adult", ct=True))
        made.many_claims(claim, count - 1)
        sys.stdout.write(f"{claim.settlement_month}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
