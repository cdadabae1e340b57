"""Which scenarios notice faults that hit a whole part of the business."""

WORK = ("project-creation", "time-entry")
BILLING = ("invoicing-from-time", "financial-posting", "credit-and-payment", "project-to-cash")
WITHIN = ("sign-in", *WORK, "procurement-approval", *BILLING)
"""What a tenant's own people do, in front of a screen or not."""
POSTING = (*BILLING, "tenant-isolation", "authority")
"""Whatever posts an invoice on its way."""
SIGNED_IN = (*WITHIN, "tenant-isolation", "authority")
ALL = (*SIGNED_IN, "tenant-disclosure")
