"""Keep proposals, what became of them, their votes, and which accounts were given roles of contracts."""

import sqlalchemy as sa
from alembic import op

from usufruct.store.amount import Amount
from usufruct.store.identifiers import AddressColumn, HashColumn

revision = "1033"
down_revision = "1032"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "proposals",
        sa.Column("governor", AddressColumn, nullable=False),
        sa.Column("id", HashColumn, nullable=False),
        sa.Column("proposer", AddressColumn, nullable=False),
        *(sa.Column(name, sa.LargeBinary, nullable=False) for name in ("calls", "description")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("snapshot", "deadline", "block", "position")),
        sa.Column("transaction", HashColumn, nullable=False),
        sa.PrimaryKeyConstraint("governor", "id", name="pk_proposals"),
    )
    op.create_table(
        "proposal_steps",
        sa.Column("governor", AddressColumn, nullable=False),
        sa.Column("proposal_id", HashColumn, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("time", "block")),
        sa.Column("transaction", HashColumn, nullable=False),
        sa.PrimaryKeyConstraint("governor", "proposal_id", "kind", name="pk_proposal_steps"),
    )
    op.create_table(
        "proposal_votes",
        sa.Column("governor", AddressColumn, nullable=False),
        sa.Column("proposal_id", HashColumn, nullable=False),
        sa.Column("voter", AddressColumn, nullable=False),
        sa.Column("support", sa.Integer, nullable=False),
        sa.Column("weight", Amount, nullable=False),
        sa.Column("reason", sa.LargeBinary, nullable=False),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.Column("transaction", HashColumn, nullable=False),
        sa.PrimaryKeyConstraint("governor", "proposal_id", "voter", name="pk_proposal_votes"),
    )
    op.create_table(
        "role_candidates",
        sa.Column("contract", AddressColumn, nullable=False),
        sa.Column("role", HashColumn, nullable=False),
        sa.Column("account", AddressColumn, nullable=False),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("contract", "role", "account", name="pk_role_candidates"),
    )
