"""What Tavern's own comparisons cannot say: sums over lines."""


def balances(response, expected: dict[str, float]) -> None:
    """Debit less credit of each account, over the moves or the move that the response holds."""
    rows = [row.get("move.") or row for row in response.json()["result"]]
    lines = [line for row in rows for line in row["lines."]]
    for account, amount in expected.items():
        of_account = [line for line in lines if line["account."]["code"] == account]
        found = sum(float(line["debit"]["decimal"]) - float(line["credit"]["decimal"]) for line in of_account)
        assert found == amount, f"account {account}: {found} instead of {amount}"


def figures(response, **expected: float) -> None:
    (row,) = response.json()["result"]
    for field, amount in expected.items():
        assert float(row[field]["decimal"]) == amount, f"{field}: {row[field]['decimal']} instead of {amount}"


def settled(response) -> dict[str, list[int]]:
    """The lines of a payment that are reconciled."""
    (move,) = response.json()["result"]
    return {"settled": [line["id"] for line in move["lines."] if line["reconciliation"]], "payment": move["id"]}
