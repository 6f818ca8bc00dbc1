"""Where a method that draws loses: its own networks, asked in other ways.

What G draws is ranked by the distance of E's embeddings. Each step of that is taken away in turn:
the distance, by comparing the attributes that the classifiers see in prototype and items; then the
drawing, by comparing those of the reference with the wanted values put in, as the posterior ranker
does; then the seeing, by asking with the target's labels. What one way gains over the one before is
lost in the step between them.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from amgan.evaluation.report import Protocol
from amgan.methods.fusion import posteriors
from amgan.methods.labels import apply_indicator, one_hot
from amgan.methods.protocol import QueryBatch, RankingMetric
from amgan.methods.prototypes import PrototypeSearch
from amgan.methods.trained import TrainedModel
from amgan.workflows.data import ExperimentData
from amgan.workflows.evaluate import evaluate_model

METRICS = ("top@1", "top@10", "ndcg@10", "wanted@10", "kept@10")
Means = dict[str, float]


class AttributeAgreement(nn.Module):
    """Ranks by sum_m <q_m, p_m(y)>, p_m the posteriors that a method's own classifiers see.

    Args:
        method: whose encoder and classifiers.
    """

    ranking_metric: RankingMetric = "inner_product"

    def __init__(self, method: PrototypeSearch) -> None:
        super().__init__()
        self.method = method
        self.embedding_dim = sum(method.sizes)

    def encode_gallery(self, images: Tensor) -> Tensor:
        """Posteriors (N, J)."""
        return posteriors(self.method.attribute_logits(images), self.method.sizes)

    def encode_query(self, query: QueryBatch) -> Tensor:
        """q, (N, J)."""
        raise NotImplementedError

    def prototype(self, query: QueryBatch) -> None:
        """None: nothing is drawn."""
        return


class AgreementWithPrototype(AttributeAgreement):
    """q is what the classifiers see in the prototype."""

    def encode_query(self, query: QueryBatch) -> Tensor:
        """Posteriors of G(x, h), (N, J)."""
        return self.encode_gallery(self.method.prototype(query))


class AgreementWithReference(AttributeAgreement):
    """q is what the classifiers see in the reference, with the wanted values put in."""

    def encode_query(self, query: QueryBatch) -> Tensor:
        """Posteriors of x, asked-for values certain, (N, J)."""
        return apply_indicator(
            self.encode_gallery(query.reference), query.indicator, self.method.sizes
        )


class AgreementWithLabels(AttributeAgreement):
    """q is the reference's labels with the wanted values put in."""

    def encode_query(self, query: QueryBatch) -> Tensor:
        """The target's labels, (N, J), as far as the reference's are known."""
        sizes = self.method.sizes
        return apply_indicator(one_hot(query.reference_labels, sizes), query.indicator, sizes)


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
    for name, way in AGREEMENTS.items():
        asked = TrainedModel(way(model.method), model.description, model.compute, model.batch_size)
        means[name] = evaluate_model(asked, data, protocol=protocol).means()
    return {name: {metric: found[metric] for metric in METRICS} for name, found in means.items()}
