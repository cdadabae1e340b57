"""Faults that a browser alone can see: the ERP's records are right, and the screen is not.

The web client loads a script `custom.js` for what an operator wants to be otherwise; here it is given a bad one.
"""

from __future__ import annotations

from ringgate.domain.terms import Channel
from ringgate.estate.faults.fault import Fault
from ringgate.estate.faults.noticing import WITHIN
from ringgate.estate.faults.switches import FrontDoorFault
from ringgate.estate.frontdoor import NetworkFault as Rule

_OTHERWISE = """
(() => {{
  const shown = Sao.field.{kind}.prototype.get_client;
  Sao.field.{kind}.prototype.get_client = function (record, ...rest) {{
    if (!{fields}.includes(this.name)) return shown.call(this, record, ...rest);
    const otherwise = Object.create(this);
    otherwise.get = (of) => ((value) => {value})(this.get(of));
    return shown.call(otherwise, record, ...rest);
  }};
}})();
"""
"""Fields of a kind are shown otherwise than they are; what is stored, and sent, stays as it is."""

_DEAD = """
(() => {
  const clicked = Sao.View.Form.prototype.button_clicked;
  Sao.View.Form.prototype.button_clicked = function (event) {
    return event.data.attributes.name === 'approve' ? undefined : clicked.call(this, event);
  };
})();
"""


def _script(text: str) -> FrontDoorFault:
    return FrontDoorFault(
        lambda _estate, tenant: Rule(tenant=tenant, method="^GET$", path=r"^/custom\.js$", serve=text)
    )


SCREENS = (
    Fault(
        id="script-error",
        title="A script of the web client fails as soon as it is loaded",
        where="web-client",
        cause="product",
        says=dict.fromkeys(WITHIN, "A script of the web client failed"),
        switch=_script("throw new Error('the release forgot a function');"),
        channel=Channel.BROWSER,
    ),
    Fault(
        id="screen-amount",
        title="The screen shows other amounts of an invoice than the ledger has",
        where="web-client",
        cause="product",
        says={
            "invoicing-from-time": "net amount: expected",
            "financial-posting": "screen states net",
            "credit-and-payment": "nothing was paid yet",
            "project-to-cash": "net amount: expected",
        },
        switch=_script(
            _OTHERWISE.format(
                kind="Numeric",
                fields="['untaxed_amount', 'tax_amount', 'total_amount', 'amount_to_pay']",
                value="value && value + 0.01",
            )
        ),
        channel=Channel.BROWSER,
    ),
    Fault(
        id="screen-hours",
        title="The screen shows logged time in full hours",
        where="web-client",
        cause="product",
        says={"time-entry": "7 h 30 min were logged"},
        switch=_script(
            _OTHERWISE.format(
                kind="TimeDelta",
                fields="['duration']",
                value="value && Sao.TimeDelta(null, Math.ceil(value.asHours()) * 3600)",
            )
        ),
        channel=Channel.BROWSER,
    ),
    Fault(
        id="button-dead",
        title="The button that approves a purchase does nothing on the screen",
        where="web-client",
        cause="product",
        says={"procurement-approval": "the request did not become approved"},
        switch=_script(_DEAD),
        channel=Channel.BROWSER,
    ),
    Fault(
        id="client-missing",
        title="The web client cannot be loaded; programs are served as ever",
        where="front-door",
        cause="environment",
        says=dict.fromkeys(WITHIN, "answered with HTTP 503"),
        switch=FrontDoorFault(lambda _estate, tenant: Rule(tenant=tenant, method="^GET$", path="^/$", status=503)),
        channel=Channel.BROWSER,
    ),
)
