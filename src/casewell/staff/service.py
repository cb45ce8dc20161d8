"""What the firm does with its people's accounts. Every act is in the audit."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from casewell.kernel.access import Role, Scope
from casewell.kernel.db import insert_into
from casewell.kernel.errors import Forbidden, InvalidInput, NotFound
from casewell.kernel.runtime import Runtime
from casewell.ledger.service import Actor, audit
from casewell.staff import links, mail, passwords, second_factor, sessions, tokens
from casewell.staff.errors import (
    EmailTaken,
    LastOwner,
    SecondFactorRequired,
    SetUpDone,
)
from casewell.staff.models import ApiToken, Firm, LinkKind, Staff, SystemMailKind


class StaffService:
    """The accounts of the firm's people, as `actor` acts on them from `address`.

    Whether the actor may is settled by the access table before anything gets here.
    """

    def __init__(
        self, session: Session, runtime: Runtime, actor: Actor | None, address: str = ""
    ) -> None:
        self._session = session
        self._runtime = runtime
        self._now = runtime.now()
        self._actor = actor
        self._address = address

    # People

    def everyone(self) -> Sequence[Staff]:
        """Return all staff, those who left last. A firm has at most some hundreds."""
        left = sa.case((Staff.deactivated_at.is_(None), 0), else_=1)
        return self._session.scalars(sa.select(Staff).order_by(left, Staff.name, Staff.id)).all()

    def find(self, staff_id: int) -> Staff:
        """Return one person. Raises NotFound."""
        staff = self._session.get(Staff, staff_id)
        if staff is None:
            raise NotFound
        return staff

    def set_up(
        self, *, firm_name: str, time_zone: str, name: str, email: str, password: str | None
    ) -> Staff:
        """Make the firm and its first owner, once. Raises SetUpDone, WeakPassword."""
        made = self._session.scalar(
            insert_into(self._session, Firm)
            .values(
                id=1,
                name=firm_name,
                time_zone=time_zone,
                second_factor_required=True,
                is_demo=False,
                created_at=self._now,
            )
            .on_conflict_do_nothing()
            .returning(Firm.id)
        )
        if made is None:
            raise SetUpDone
        owner = self._add(name=name, email=email, role=Role.OWNER, time_zone=time_zone)
        if password is not None:
            self._set_password(owner, password)
        self._actor = Actor.of_staff(owner)
        self._audit("firm.set_up", {"firm": firm_name})
        return owner

    def create(
        self,
        *,
        name: str,
        email: str,
        role: Role,
        time_zone: str = "",
        password: str | None = None,
    ) -> Staff:
        """Make an account; without a password it waits for one. Raises EmailTaken."""
        zone = time_zone or self.firm().time_zone
        staff = self._add(name=name, email=email, role=role, time_zone=zone)
        if password is not None:
            self._set_password(staff, password)
        self._audit("staff.created", {"staff_id": staff.id, "role": role.value})
        return staff

    def link_by_hand(self, staff: Staff) -> str:
        """Return the address of a link to choose a password, for where no mail can bring it."""
        kind = LinkKind.PASSWORD_RESET if staff.password_hash else LinkKind.INVITATION
        token = links.issue(self._session, staff.id, kind, self._now)
        self._audit("staff.link_made", {"staff_id": staff.id, "kind": kind.value})
        path = "reset" if kind is LinkKind.PASSWORD_RESET else "invitation"
        return f"{self._runtime.settings.public_url}/{path}/{token}"

    def invite(self, staff: Staff) -> None:
        """Send an invitation; the links of earlier ones die. Raises InvalidInput."""
        if staff.password_hash is not None:
            raise InvalidInput(f"{staff.name} has a password already and can sign in.")
        by = self._actor.name if self._actor else "Your firm"
        data = {"staff_id": staff.id, "by": by}
        mail.queue(self._session, self._runtime, SystemMailKind.INVITATION, staff.email, data)
        self._audit("staff.invited", {"staff_id": staff.id})

    def accept_invitation(self, token: str, *, name: str, time_zone: str, password: str) -> Staff:
        """Give the invited person their password. Raises LinkNotValid, WeakPassword."""
        _, staff = links.use_up(self._session, token, LinkKind.INVITATION, now=self._now)
        staff.name, staff.time_zone = name, time_zone
        self._actor = Actor.of_staff(staff)
        self._set_password(staff, password)
        links.withdraw(self._session, staff.id)
        self._audit("staff.invitation_accepted")
        return staff

    def change_role(self, staff: Staff, role: Role) -> None:
        """Give somebody another role; they have to sign in again. Raises LastOwner."""
        if staff.role is role:
            return
        before = staff.role
        self._keep_an_owner(staff, unless=role is Role.OWNER)
        staff.role = role
        self._end_access(staff)
        self._audit(
            "staff.role_changed", {"staff_id": staff.id, "from": before.value, "to": role.value}
        )

    def deactivate(self, staff: Staff) -> None:
        """Take all access from somebody; what they did stays. Raises LastOwner."""
        if not staff.is_active:
            return
        self._keep_an_owner(staff)
        staff.deactivated_at = self._now
        self._end_access(staff)
        links.withdraw(self._session, staff.id)
        self._audit("staff.deactivated", {"staff_id": staff.id})

    def reactivate(self, staff: Staff) -> None:
        if staff.is_active:
            return
        staff.deactivated_at = None
        self._audit("staff.reactivated", {"staff_id": staff.id})

    def change_profile(self, staff: Staff, *, name: str, time_zone: str) -> None:
        staff.name, staff.time_zone = name, time_zone

    # Passwords and addresses

    def change_password(self, staff: Staff, password: str) -> None:
        """Set a new password; every access the old one gave ends. Raises WeakPassword."""
        self._set_password(staff, password)
        self._end_access(staff)
        links.withdraw(self._session, staff.id, LinkKind.PASSWORD_RESET)
        self._audit("staff.password_changed", {"staff_id": staff.id})
        self._tell(staff, "the password")

    def ask_for_reset(self, email: str) -> None:
        """Queue a reset mail: the same work for every address, known or not."""
        mail.queue(self._session, self._runtime, SystemMailKind.PASSWORD_RESET, email)

    def reset_password(self, token: str, password: str) -> Staff:
        """Set a password by a link from a mail. Raises LinkNotValid, WeakPassword.

        It signs nobody in: the second factor is still asked for.
        """
        _, staff = links.use_up(self._session, token, LinkKind.PASSWORD_RESET, now=self._now)
        self._actor = Actor.of_staff(staff)
        self.change_password(staff, password)
        return staff

    def ask_for_email_change(self, staff: Staff, email: str) -> None:
        """Ask both addresses to confirm a change. Raises EmailTaken."""
        self._require_free(email, staff)
        links.withdraw(
            self._session, staff.id, LinkKind.EMAIL_CHANGE_OLD, LinkKind.EMAIL_CHANGE_NEW
        )
        data = {"staff_id": staff.id, "email": email}
        for kind, to in (
            (SystemMailKind.EMAIL_CHANGE_OLD, staff.email),
            (SystemMailKind.EMAIL_CHANGE_NEW, email),
        ):
            mail.queue(self._session, self._runtime, kind, to, data)
        self._audit("staff.email_change_asked", {"staff_id": staff.id})

    def confirm_email_change(self, token: str) -> bool:
        """Confirm at one of the two addresses; return whether the change is made now.

        Raises LinkNotValid, EmailTaken.
        """
        both = (LinkKind.EMAIL_CHANGE_OLD, LinkKind.EMAIL_CHANGE_NEW)
        link, staff = links.use_up(self._session, token, *both, now=self._now)
        if not links.is_confirmed(self._session, staff.id, *both, email=link.email, now=self._now):
            return False
        assert link.email is not None
        self._require_free(link.email, staff)
        staff.email = link.email
        self._flush_email()
        self._actor = Actor.of_staff(staff)
        links.withdraw(self._session, staff.id)
        self._end_access(staff)
        self._audit("staff.email_changed", {"staff_id": staff.id})
        return True

    # Second factor

    def set_up_second_factor(
        self, staff: Staff, enrolment: second_factor.Enrolment, code: str
    ) -> list[str]:
        """Confirm an enrolment; return the recovery codes, to be shown once. Raises WrongCode."""
        replaced = staff.has_second_factor
        enrolment.confirm(self._session, code, self._now)
        self._end_access(staff)
        self._audit("staff.second_factor_set_up", {"staff_id": staff.id})
        if replaced:
            self._tell(staff, "the authenticator app")
        return second_factor.renew_recovery_codes(self._session, staff)

    def turn_second_factor_off(self, staff: Staff) -> None:
        """Take one's own second factor away. Raises SecondFactorRequired."""
        if self.firm().second_factor_required:
            raise SecondFactorRequired
        second_factor.remove(self._session, staff)
        self._end_access(staff)
        self._audit("staff.second_factor_removed", {"staff_id": staff.id})
        self._tell(staff, "the second factor was turned off")

    def reset_second_factor(self, staff: Staff) -> None:
        """Take somebody's lost second factor away; they set up another when they sign in.

        Not one's own, which asks for the password first. Raises Forbidden.
        """
        if self._actor is not None and self._actor.id == staff.id:
            raise Forbidden("Change your own second factor under Settings, Security.")
        second_factor.remove(self._session, staff)
        self._end_access(staff)
        self._audit("staff.second_factor_reset", {"staff_id": staff.id})
        self._tell(staff, "the second factor was reset by an owner")

    def renew_recovery_codes(self, staff: Staff) -> list[str]:
        codes = second_factor.renew_recovery_codes(self._session, staff)
        self._audit("staff.recovery_codes_renewed", {"staff_id": staff.id})
        return codes

    # API tokens and browsers

    def make_token(
        self, staff: Staff, *, name: str, scopes: Sequence[Scope], days: int
    ) -> tuple[ApiToken, str]:
        """Return a new token and its text, which is shown once. Raises InvalidInput."""
        token, text = tokens.make(
            self._session, staff, name=name, scopes=scopes, days=days, now=self._now
        )
        self._audit("token.created", {"token_id": token.id, "name": name, "scopes": token.scopes})
        return token, text

    def revoke_token(self, staff: Staff, token_id: int) -> ApiToken:
        """End one of a person's own tokens. Raises NotFound."""
        token = tokens.revoke(self._session, token_id, staff_id=staff.id, now=self._now)
        self._audit("token.revoked", {"token_id": token.id, "name": token.name})
        return token

    def end_session(self, staff: Staff, session_id: int) -> None:
        """Sign one of a person's own browsers out. Raises NotFound."""
        if not sessions.end(self._session, session_id, staff_id=staff.id):
            raise NotFound
        self._audit("staff.session_ended", {"session_id": session_id})

    def end_other_sessions(self, staff: Staff, *, keep: int | None) -> None:
        sessions.end_all(self._session, staff.id, keep=keep)
        self._audit("staff.other_sessions_ended")

    # The firm

    def firm(self) -> Firm:
        return self._session.scalars(sa.select(Firm)).one()

    def change_firm(self, *, name: str, time_zone: str) -> None:
        firm = self.firm()
        changed = {"name": (firm.name, name), "time_zone": (firm.time_zone, time_zone)}
        firm.name, firm.time_zone = name, time_zone
        self._audit_changes(changed)

    def change_hours(self, week: list[list[str] | None], answer_within_hours: int) -> None:
        """Set when the firm is open and how soon it means to answer."""
        firm = self.firm()
        changed = {
            "opening_hours": (firm.opening_hours, week),
            "answer_within_hours": (firm.answer_within_hours, answer_within_hours),
        }
        firm.opening_hours, firm.answer_within_hours = week, answer_within_hours
        self._audit_changes(changed)

    def change_second_factor_policy(self, owner: Staff, *, required: bool, reason: str) -> None:
        """Ask everyone for a second factor, or stop, with a reason that is recorded.

        Whoever has none yet sets one up at their next sign-in, which is now.
        Raises InvalidInput.
        """
        firm = self.firm()
        if required and not owner.has_second_factor:
            raise InvalidInput("Set up your own second factor first, so that you stay signed in.")
        if not required and not reason:
            raise InvalidInput(
                "Check the fields marked below.", fields={"reason": "Write down why."}
            )
        before = firm.second_factor_required
        firm.second_factor_required = required
        firm.second_factor_off_reason = None if required else reason
        if required:
            without = sa.select(Staff.id).where(Staff.totp_confirmed_at.is_(None))
            for staff_id in self._session.scalars(without).all():
                sessions.end_every_access(self._session, staff_id, now=self._now)
        self._audit(
            "firm.changed",
            {"second_factor_required": [before, required], "reason": reason},
        )

    def change_anchor_email(self, address: str | None) -> None:
        """Say where the ledger's anchors are mailed to; the address so far is told of it."""
        firm = self.firm()
        before, firm.anchor_email = firm.anchor_email, address
        if before is not None and before != address:
            by = self._actor.name if self._actor else "Somebody"
            data = {"to": address or "nowhere", "by": by}
            mail.queue(
                self._session, self._runtime, SystemMailKind.ANCHOR_ADDRESS_CHANGED, before, data
            )
        self._audit_changes({"anchor_email": (before, address)})

    def pause_sending(self, reason: str) -> None:
        """Let no message to a client leave until sending is resumed."""
        if not reason:
            raise InvalidInput(
                "Check the fields marked below.", fields={"reason": "Write down why."}
            )
        firm = self.firm()
        firm.sending_paused_at, firm.sending_paused_reason = self._now, reason
        self._audit("firm.sending_paused", {"reason": reason})

    def resume_sending(self) -> None:
        firm = self.firm()
        firm.sending_paused_at = firm.sending_paused_reason = None
        self._audit("firm.sending_resumed")

    # Inside

    def _add(self, *, name: str, email: str, role: Role, time_zone: str) -> Staff:
        self._require_free(email)
        staff = Staff(
            name=name,
            email=email,
            role=role,
            time_zone=time_zone,
            created_at=self._now,
            preferences={},
        )
        self._session.add(staff)
        self._flush_email()
        return staff

    def _require_free(self, email: str, staff: Staff | None = None) -> None:
        taken = self._session.scalar(sa.select(Staff.id).where(Staff.email == email))
        if taken is not None and (staff is None or taken != staff.id):
            raise EmailTaken

    def _flush_email(self) -> None:
        try:
            with self._session.begin_nested():
                self._session.flush()
        except IntegrityError as error:
            raise EmailTaken from error  # somebody was quicker

    def _set_password(self, staff: Staff, password: str) -> None:
        firm = self.firm()
        passwords.check_strength(password, email=staff.email, name=staff.name, firm=firm.name)
        staff.password_hash = passwords.hash_password(password)
        self._session.flush()

    def _keep_an_owner(self, staff: Staff, *, unless: bool = False) -> None:
        """Refuse to leave the firm without an owner; two who demote each other wait in turn."""
        if unless or staff.role is not Role.OWNER:
            return
        owners = self._session.scalars(
            sa.select(Staff.id)
            .where(
                Staff.role == Role.OWNER,
                Staff.deactivated_at.is_(None),
                Staff.password_hash.is_not(None),
            )
            .order_by(Staff.id)
            .with_for_update()
        ).all()
        if not set(owners) - {staff.id}:
            raise LastOwner

    def _end_access(self, staff: Staff) -> None:
        sessions.end_every_access(self._session, staff.id, now=self._now)

    def _tell(self, staff: Staff, what: str) -> None:
        data = {"name": staff.name, "what": what}
        mail.queue(self._session, self._runtime, SystemMailKind.ACCOUNT_CHANGED, staff.email, data)

    def _audit(self, kind: str, data: Mapping[str, Any] | None = None) -> None:
        audit(
            self._session,
            kind,
            now=self._now,
            actor=self._actor,
            address=self._address,
            data=data,
        )

    def _audit_changes(self, pairs: Mapping[str, tuple[Any, Any]]) -> None:
        changed = {
            name: [before, after] for name, (before, after) in pairs.items() if before != after
        }
        if changed:
            self._audit("firm.changed", changed)
