"""What can speak against going on with a rollout. What then happens is the release's to say (`[conditions]`)."""

from __future__ import annotations

from enum import StrEnum


class Condition(StrEnum):
    """Each is a key of a release's `[conditions]`; the word is what records and files hold."""

    NOT_READY = "not_ready"
    DRIFT = "drift"
    BACKUP_TOO_OLD = "backup_too_old"
    DRILL_FAILED = "drill_failed"
    MIGRATION_FAILED = "migration_failed"
    FINGERPRINT_DRIFT = "fingerprint_drift"
    PLATFORM_FAILED = "platform_failed"
    ARTEFACT_DIFFERS = "artefact_differs"
    PROCESS_FAILED = "process_failed"
    INTEGRATION_FAILED = "integration_failed"
    ISOLATION_FAILED = "isolation_failed"
    IN_FLIGHT_FAILED = "in_flight_failed"
    SURFACE_BROKEN = "surface_broken"
    BACKGROUND_LOAD_FAILED = "background_load_failed"
    BAKE_FAILED = "bake_failed"
    ACTIVATION_FAILED = "activation_failed"
    STOPPED_BY_PERSON = "stopped_by_person"
    INCONCLUSIVE = "inconclusive"


_FAILED = {
    "baseline": Condition.NOT_READY,
    "drill": Condition.DRILL_FAILED,
    "upgrade": Condition.MIGRATION_FAILED,
    "fingerprint": Condition.FINGERPRINT_DRIFT,
    "verification": Condition.PLATFORM_FAILED,
    "rollback": Condition.MIGRATION_FAILED,
    "activation": Condition.ACTIVATION_FAILED,
    "deactivation": Condition.ACTIVATION_FAILED,
}
"""The condition that an error of the ERP during a stage is."""


def failed_as(stage: str, *, no_answer: bool) -> Condition:
    """Books that cannot be read are not known to differ: the tenant does not answer."""
    return Condition.PLATFORM_FAILED if no_answer and stage == "fingerprint" else _FAILED[stage]
