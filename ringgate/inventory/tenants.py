"""What the checked tables of a tenant come to: the values that everything else works with."""

from __future__ import annotations

from pathlib import Path

from ringgate.domain.credentials import Account, Credentials
from ringgate.domain.diagnostics import ErpLog
from ringgate.domain.integrations import Integration
from ringgate.domain.model import Accounts, Approval, Feature, Policy, Recovery, TaxRule, Tenant
from ringgate.domain.schedules import Probing
from ringgate.domain.secrets import Secret
from ringgate.domain.terms import Channel, Effect, Role
from ringgate.host.secrets import EnvSecret, FileSecret
from ringgate.inventory.diagnostics import ErpLogTable
from ringgate.inventory.integrations import IntegrationTable
from ringgate.inventory.kinds import CURRENCIES
from ringgate.inventory.schema import ChannelUserTable, TenantPolicyTable, TenantTable, UserTable
from ringgate.inventory.secrets import SecretTable


def policy_of(table: TenantPolicyTable) -> Policy:
    return Policy(
        currency=CURRENCIES[table.currency],
        taxes=tuple(TaxRule(tax.name, tax.rate, tax.product or table.product) for tax in table.tax),
        tax_rounding=table.rounding,
        rounding_mode=table.rounding_mode,
        approval=Approval(
            table.approval.steps,
            table.approval.threshold,
            (table.approval.approvers or (Role.APPROVER,)) if table.approval.steps else (),
        ),
        invoice_method=table.invoice_method,
        term=table.payment_term.model,
        accounts=Accounts(**table.accounts.model_dump()),
        product=table.product,
        customer=table.customer,
        effects=Effect[table.effects.upper()],
        supplier=table.supplier or "",
    )


def tenant_of(table: TenantTable, base: Path, policy: Policy, probes: Probing, recovery: Recovery | None) -> Tenant:
    return Tenant(
        id=table.id,
        name=table.name or table.id,
        erp=table.erp,
        series=table.series,
        ring=table.ring,
        cohorts=table.cohorts,
        region=table.region,
        residency=table.residency,
        timezone=table.timezone,
        language=table.language,
        sla=table.sla,
        api=filled(table.endpoints.api, table.id),
        web=filled(table.endpoints.web or "", table.id),
        policy=policy,
        users={role: _account(user, table.id, base) for role, user in table.users.items()},
        sessions=table.sessions,
        time_limit=table.time_limit,
        load_users=table.load_users,
        lacks=table.lacks,
        features={name: Feature(x.on, x.owner, x.expires) for name, x in table.features.items()},
        extensions=dict(table.extensions),
        addresses={name: filled(url, table.id) for name, url in table.addresses.items()},
        links={name: filled(url, table.id) for name, url in table.links.items()},
        erp_log=_erp_log(table.erp_log, table.id, base),
        integrations={name: _integration(name, each, table.id, base) for name, each in table.integrations.items()},
        paused_until=table.paused_until,
        paused_reason=table.paused_reason,
        probes=probes,
        recovery=recovery,
    )


_NOTHING_OWN = ChannelUserTable()


def _account(user: UserTable, tenant: str, base: Path) -> Account:
    """The user, and how they sign in over the channels that say something of their own."""

    def secret(table: SecretTable | None) -> Secret | None:
        return reference(table, tenant, base) if table else None

    channels = {}
    for channel, own in ((Channel.API, user.api), (Channel.BROWSER, user.browser)):
        if own != _NOTHING_OWN:
            password = own.password or (None if own.key else user.password)
            channels[channel] = Credentials(
                own.login or user.login, secret(password), secret(own.key), secret(own.one_time_codes)
            )
    return Account(user.login, secret(user.password), channels)


def _integration(name: str, table: IntegrationTable, tenant: str, base: Path) -> Integration:
    return Integration(
        name=name,
        kind=table.kind,
        address=filled(table.address, tenant),
        within=table.within,
        owner=table.owner,
        quiet=table.quiet,
        user=filled(table.user, tenant),
        password=reference(table.password, tenant, base) if table.password else None,
        key=reference(table.key, tenant, base) if table.key else None,
        tenant=filled(table.tenant, tenant) or tenant,
        receives=table.receives,
        fields=dict(table.fields),
        settings={key: filled(value, tenant) for key, value in table.settings.items()},
    )


def _erp_log(table: ErpLogTable, tenant: str, base: Path) -> ErpLog:
    return ErpLog(
        file=str(base.absolute() / Path(filled(table.file, tenant)).expanduser()) if table.file else "",
        command=tuple(filled(each, tenant) for each in table.command),
        url=filled(table.url or "", tenant),
        token=reference(table.token, tenant, base) if table.token else None,
    )


def filled(text: str, tenant: str) -> str:
    return text.replace("${TENANT}", tenant)


def reference(table: SecretTable, tenant: str, base: Path) -> Secret:
    """What a file says of a secret as that secret; relative files count from `base`."""
    if table.env is not None:
        # A variable's name has no hyphen, so acme-eu becomes ACME_EU.
        return EnvSecret(table.env.replace("${TENANT}", tenant.upper().replace("-", "_")))
    return FileSecret(filled(table.file or "", tenant), base.absolute())
