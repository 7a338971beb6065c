"""Where the ledger meets the chain: deposits come in, claims are paid out to the assets, unused money goes back.

Nothing here decides what a call costs. Every step that sends money is written down first, in the ledger or in this
package's tables, under the key that the sender's outbox knows it by; so it is taken once, whatever dies in between.
"""
