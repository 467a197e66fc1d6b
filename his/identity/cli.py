"""`his identity …` for operators."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from his.core.actor import SYSTEM
from his.core.db import transaction
from his.core.errors import DomainError
from his.identity import queries, service


@click.group("identity")
def cli() -> None:
    """Accounts and roles."""


@cli.command("seed")
@with_appcontext
def seed() -> None:
    """Bring roles and permissions to the standard."""
    with transaction():
        service.seed_roles()
    click.echo("Đã cập nhật vai trò và quyền.")


@cli.command("create-admin")
@click.argument("username")
@click.argument("display_name")
@with_appcontext
def create_admin(username: str, display_name: str) -> None:
    """Create an administrator; prints the first password once."""
    try:
        with transaction():
            service.seed_roles()
            user = service.create_user(
                username, display_name, ["administrator"], password=service.random_secret(), actor=SYSTEM
            )
            first = service.reset_password(user.user_id, actor=SYSTEM)
    except DomainError as error:
        raise click.ClickException(error.message) from error
    click.echo(f"Tài khoản {username}, mật khẩu lần đầu: {first}")


@cli.command("reset-password")
@click.argument("username")
@with_appcontext
def reset_password(username: str) -> None:
    """Give a new first password; prints it once."""
    user = queries.user_by_name(username)
    if user is None:
        raise click.ClickException(f"Không có tài khoản {username}.")
    with transaction():
        first = service.reset_password(user.user_id, actor=SYSTEM)
    click.echo(f"Mật khẩu lần đầu: {first}")
