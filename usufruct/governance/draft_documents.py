"""Drafts and parameters as documents."""

from usufruct.governance.drafts import DraftView
from usufruct.governance.parameters import Parameter
from usufruct.governance.proposal_documents import proposed_call, simulation_facts
from usufruct.governance.words import value_words
from usufruct_client.draft_documents import DraftDetails, ParameterFacts


def parameter_facts(parameter: Parameter) -> ParameterFacts:
    """Return a parameter with its value now."""
    least, most = parameter.bounds or (None, None)
    return ParameterFacts(
        parameter.id,
        parameter.contract.name,
        parameter.contract.address,
        parameter.function.signature,
        parameter.setting.unit.value,
        value_words(parameter.now),
        parameter.takes_value,
        least,
        most,
        parameter.or_zero,
    )


def draft_details(view: DraftView) -> DraftDetails:
    """Return what a draft would do."""
    return DraftDetails(
        view.id,
        [proposed_call(each) for each in view.words],
        simulation_facts(view.simulation),
        view.terms.threshold,
        view.votes,
        view.missing,
    )
