"""Where a method that draws loses: its own networks, asked in other ways.

What G draws is ranked by the distance of E's embeddings. Each step of that is taken away in turn:
the distance, by comparing the attributes that the classifiers see in prototype and items; then the
drawing, by comparing those of the reference with the wanted values put in, as the posterior ranker
does; then the seeing, by asking with the target's labels. What one way gains over the one before is
lost in the step between them.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from amgan.evaluation.report import Protocol
from amgan.methods.fusion import posteriors
from amgan.methods.labels import apply_indicator, one_hot
from amgan.methods.method import Method, QueryBatch, RankingMetric
from amgan.methods.trained import TrainedModel
from amgan.workflows.data import ExperimentData
from amgan.workflows.evaluate import evaluate_model

METRICS = ("top@1", "top@10", "ndcg@10", "wanted@10", "kept@10")
Means = dict[str, float]


class AttributeAgreement(Method):
    """Ranks by sum_m <q_m, p_m(y)>, p_m the posteriors that a method's own classifiers see.

    Args:
        method: whose encoder and classifiers.
        sizes: number of values of each attribute.
    """

    ranking_metric: RankingMetric = "inner_product"

    def __init__(self, method: Method, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.method = method
        self.sizes = sizes
        self.embedding_dim = sum(sizes)

    def encode_gallery(self, images: Tensor) -> Tensor:
        """Posteriors (N, J)."""
        logits = self.method.attribute_logits(images)
        assert logits is not None  # a method that draws classifies
        return posteriors(logits, self.sizes)


class AgreementWithPrototype(AttributeAgreement):
    """q is what the classifiers see in the prototype."""

    def encode_query(self, query: QueryBatch) -> Tensor:
        """Posteriors of G(x, h), (N, J)."""
        prototype = self.method.prototype(query)
        assert prototype is not None
        return self.encode_gallery(prototype)


class AgreementWithReference(AttributeAgreement):
    """q is what the classifiers see in the reference, with the wanted values put in."""

    def encode_query(self, query: QueryBatch) -> Tensor:
        """Posteriors of x, asked-for values certain, (N, J)."""
        return apply_indicator(self.encode_gallery(query.reference), query.indicator, self.sizes)


class AgreementWithLabels(AttributeAgreement):
    """q is the reference's labels with the wanted values put in."""

    def encode_query(self, query: QueryBatch) -> Tensor:
        """The target's labels, (N, J), as far as the reference's are known."""
        labels = one_hot(query.reference_labels, self.sizes)
        return apply_indicator(labels, query.indicator, self.sizes)


DISTANCE = "distance, prototype"  # the row's own way, which its evaluation has measured
AGREEMENTS: Mapping[str, type[AttributeAgreement]] = {
    "attributes seen in the prototype": AgreementWithPrototype,
    "attributes seen in the reference, wanted ones put in": AgreementWithReference,
    "labels of the reference, wanted ones put in": AgreementWithLabels,
}
RANKINGS = (DISTANCE, *AGREEMENTS)


def measure_ranking_ablation(
    model: TrainedModel, data: ExperimentData, protocol: Protocol, own: Mapping[str, float]
) -> dict[str, Means]:
    """Means of METRICS over the test queries, for each of RANKINGS.

    Args:
        model: draws prototypes; ranks by its own distance.
        data: whose test queries.
        protocol: which gallery.
        own: means of its own ranking of the same queries.
    """
    means = {DISTANCE: own}
    for name, agreement in AGREEMENTS.items():
        method = agreement(model.method, model.schema.sizes)
        asked = TrainedModel(method, model.description, model.compute, model.batch_size)
        means[name] = evaluate_model(asked, data, protocol=protocol).means()
    return {name: {metric: found[metric] for metric in METRICS} for name, found in means.items()}
