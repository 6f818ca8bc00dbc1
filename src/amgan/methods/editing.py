"""AMGAN with a generator that edits the reference, and losses that never ask for a mean.

The paper's pixel loss (Eq. 5) compares a prototype with another garment that has the wanted labels;
its best answer is the mean of many garments. Here pixels are compared only with the exact answer:
rendered garments have one for every change, photographs one for each colour variant of a product,
and any picture is the exact answer to no change at all. Elsewhere the classifiers of the
encoder, which stand still meanwhile, say whether the change was made; a critic says whether the
picture looks real; and changing back has to give the reference (a cycle).

Training has three parts. The encoder and its attribute classifiers learn first (metric on real
pictures, Eq. 6). Then they stand still, and generator and critic learn. At last AMGAN's own game is
played: encoder and generator against each other, the prototype a hard negative (Eq. 10-12).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from amgan import losses
from amgan.attributes import AttributeSchema
from amgan.errors import InputError
from amgan.images import ImageSettings
from amgan.methods.labels import one_hot
from amgan.methods.method import Phase, QueryBatch, TrainingBatch
from amgan.methods.prototypes import PrototypeSearch
from amgan.models.averaging import follow_average
from amgan.models.critic import Critic, augment
from amgan.models.editor import EditingGenerator, EditorConfig
from amgan.models.network import NetworkConfig
from amgan.models.trunks import ConvolutionalTrunk

# Phases that begin in the course of training; the generator hears of them from then on.
_BEGINS = ("critic", "game")


@dataclass(frozen=True)
class EditingConfig:
    """Options of the editing method.

    Attributes:
        editor: widths of the generator.
        critic_widths: channels of the critic; none leaves the critic out.
        embedding_length: as AMGAN's; 1 puts distances between 0 and 2.
        encoder_share: share of training after which the encoder stands still.
        critic_start: share of training after which the critic takes part.
        game_start: share of training after which encoder and generator play AMGAN's game.
        pixel_weight: of the absolute and squared distance to an exact answer.
        feature_weight: of the distance to an exact answer in the encoder's feature maps.
        attribute_weight: of the classifiers' loss on prototypes.
        adversarial_weight: of the critic's score.
        cycle_weight: of the L1 distance after changing back, where there is no exact answer.
        metric_weight: of Eq. 12 for the generator, and of Eq. 10 for the encoder.
        hard_negative_weight: of Eq. 11, over that weight.
        average: decay of the moving average of the generator's weights, which is what draws; 0
            keeps none.
    """

    editor: EditorConfig = field(default_factory=EditorConfig)
    critic_widths: tuple[int, ...] = (48, 96, 192)
    embedding_length: float = 1.0
    encoder_share: float = 0.2
    critic_start: float = 0.5
    game_start: float = 0.85
    pixel_weight: float = 15.0
    feature_weight: float = 2.0
    attribute_weight: float = 0.3
    adversarial_weight: float = 0.3
    cycle_weight: float = 5.0
    metric_weight: float = 0.3
    hard_negative_weight: float = 0.3
    average: float = 0.998

    def __post_init__(self) -> None:
        if not 0 <= self.encoder_share <= self.game_start <= 1:
            raise InputError("encoder_share and game_start must ascend within 0 and 1")
        if not 0 <= self.critic_start <= 1:
            raise InputError(f"critic_start must be from 0 to 1, not {self.critic_start}")
        if not 0 <= self.average < 1:
            raise InputError(f"average must be from 0 up to, not including, 1, not {self.average}")


class Editing(PrototypeSearch):
    """Editing generator G, encoder E with attribute classifiers, and a critic for training."""

    generator: EditingGenerator
    begun: Tensor

    def __init__(
        self,
        schema: AttributeSchema,
        images: ImageSettings,
        network: NetworkConfig,
        config: EditingConfig,
    ) -> None:
        config.editor.check_picture(images.height, images.width)
        generator = EditingGenerator(schema.num_values, config.editor)
        super().__init__(
            schema,
            images,
            network,
            embedding_length=config.embedding_length,
            generator=generator,
        )
        self.config = config
        # What draws in search is the average; what is trained is beside it.
        self.trained = copy.deepcopy(generator) if config.average else None
        widths = config.critic_widths
        self.critic = Critic(schema.num_values, widths) if widths else None
        # Which parts of training have begun: kept with the weights, so that a run can be resumed.
        self.register_buffer("begun", torch.zeros(2, dtype=torch.uint8))

    def phases(self) -> tuple[Phase, ...]:
        """Encoder, then critic and generator, at last all three."""
        config = self.config
        metric = {"metric": config.metric_weight, "attribute": 1.0}
        hard = {**metric, "hard_negative": config.metric_weight * config.hard_negative_weight}
        encoder = (self.encoder, self.classifier)
        phases = [
            Phase("encoder", encoder, metric, 0.0, config.encoder_share, own_schedule=True),
            Phase("game", encoder, hard, config.game_start),
        ]
        if self.critic is not None:
            weights = {"real_fake": 1.0}
            phases.append(Phase("critic", (self.critic,), weights, config.critic_start))
        weights = {
            "pixel": config.pixel_weight,
            "feature": config.feature_weight,
            "attribute": config.attribute_weight,
            "same": config.pixel_weight,
            "cycle": config.cycle_weight,
            "adversarial": config.adversarial_weight,
            "metric": config.metric_weight,
        }
        share = config.encoder_share
        phases.append(Phase("generator", (self._trainee,), weights, share, own_schedule=True))
        return tuple(phases)

    def losses(self, phase: str, batch: TrainingBatch) -> dict[str, Tensor]:
        """Terms of one phase."""
        if phase == "critic":
            return self._critic_losses(batch)
        if phase == "generator":
            return self._generator_losses(batch)
        return self._encoder_losses(batch, hard_negative=phase == "game")

    def after_step(self, phase: str) -> None:
        """Note what has begun, and let the average of the generator's weights follow."""
        if phase in _BEGINS:
            self.begun[_BEGINS.index(phase)] = 1
        if phase != "generator" or self.trained is None:
            return
        follow_average(self.generator, self.trained, self.config.average)

    def prototype(self, query: QueryBatch) -> Tensor:
        """Prototypes of queries, (N, 3, H, W) in [-1, 1]."""
        return self.draw(query.reference, query.indicator, self.attribute_logits(query.reference))

    def draw(self, reference: Tensor, indicator: Tensor, logits: Tensor) -> Tensor:
        """Prototypes; what is present is what the classifiers see, so that no label is needed."""
        difference = wanted_minus_present(indicator, logits, self.sizes)
        prototype: Tensor = self.generator(reference, difference)
        return prototype

    @property
    def _trainee(self) -> EditingGenerator:
        """The generator whose weights are trained."""
        return self.generator if self.trained is None else self.trained

    def _draw_trained(self, batch: TrainingBatch) -> tuple[Tensor, Tensor]:
        """Prototypes by the weights that are trained, and the differences that they show."""
        with torch.no_grad():
            logits = self.attribute_logits(batch.reference)
            difference = wanted_minus_present(batch.indicator, logits, self.sizes)
        return self._trainee(batch.reference, difference), difference

    def _encoder_losses(self, batch: TrainingBatch, *, hard_negative: bool) -> dict[str, Tensor]:
        pictures = [batch.target, batch.positive, batch.negative]
        if hard_negative:
            with torch.no_grad():
                pictures.append(self._draw_trained(batch)[0])
        parts = self.encoder(torch.cat(pictures)).chunk(len(pictures))
        target, positive, negative = parts[:3]
        distance = losses.euclidean_distance
        near, far = distance(target, positive), distance(target, negative)
        drawn = distance(target, parts[3]) if hard_negative else far
        metric, hard = losses.triplet_discriminator_losses(near, far, drawn)
        labels = (batch.target_labels, batch.positive_labels, batch.negative_labels)
        attribute = self.attribute_loss(torch.cat(parts[:3]), torch.cat(labels), "cross_entropy")
        terms = {"metric": metric, "attribute": attribute}
        return {**terms, "hard_negative": hard} if hard_negative else terms

    def _critic_losses(self, batch: TrainingBatch) -> dict[str, Tensor]:
        assert self.critic is not None
        with torch.no_grad():
            prototype, _ = self._draw_trained(batch)
        labels = one_hot(batch.target_labels, self.sizes)
        pictures = self._augmented(batch.target, prototype)
        real, fake = self.critic(pictures, torch.cat((labels, labels))).chunk(2)
        return {"real_fake": losses.hinge_discriminator_loss(real, fake)}

    def _generator_losses(self, batch: TrainingBatch) -> dict[str, Tensor]:
        prototype, difference = self._draw_trained(batch)
        exact = batch.exact if batch.exact is not None else torch.zeros_like(difference[:, 0]) > 0
        maps, embedding = self._look(prototype)
        with torch.no_grad():
            true_maps, _ = self._look(batch.target)
        zero = prototype.new_zeros(())
        terms = {
            "pixel": losses.exact_pixel_loss(prototype, batch.target, exact),
            "feature": losses.exact_feature_loss(maps, true_maps, exact),
            "attribute": self.attribute_loss(embedding, batch.target_labels, "cross_entropy"),
            "metric": zero,
            "same": zero,
            "cycle": zero,
            "adversarial": zero,
        }
        if not bool(exact.all()):
            rest = ~exact
            back = self._trainee(prototype[rest], -difference[rest])
            terms["cycle"] = losses.pixel_loss(back, batch.reference[rest])
            unchanged = self._trainee(batch.reference[rest], torch.zeros_like(difference[rest]))
            terms["same"] = losses.pixel_loss(unchanged, batch.reference[rest])
        if self._has_begun("game"):
            terms["metric"] = self._generator_metric(embedding, batch)
        if self.critic is not None and self._has_begun("critic"):
            labels = one_hot(batch.target_labels, self.sizes)
            terms["adversarial"] = -self.critic(self._augmented(prototype), labels).mean()
        return terms

    def _generator_metric(self, embedding: Tensor, batch: TrainingBatch) -> Tensor:
        """Eq. 12."""
        with torch.no_grad():
            positive, negative = self.encoder(torch.cat((batch.positive, batch.negative))).chunk(2)
        distance = losses.euclidean_distance
        near, far = distance(embedding, positive), distance(embedding, negative)
        return losses.triplet_generator_loss(near, far, saturating=False)

    def _has_begun(self, phase: str) -> bool:
        return bool(self.begun[_BEGINS.index(phase)])

    def _look(self, images: Tensor) -> tuple[list[Tensor], Tensor]:
        """The encoder's feature maps and embeddings of pictures."""
        trunk = self.encoder.trunk
        if not isinstance(trunk, ConvolutionalTrunk):
            return [trunk(images)], self.encoder(images)
        maps = []
        features = images
        for layer in trunk.children():
            features = layer(features)
            if isinstance(layer, nn.LeakyReLU):
                maps.append(features)
        return maps, self.encoder.embed(features)

    def _augmented(self, *pictures: Tensor) -> Tensor:
        """Pictures side by side, each set moved and cut in the same way."""
        count = len(pictures[0])
        device = pictures[0].device
        shifts, holes = (
            torch.rand(count, 2, device=device) * 2 - 1,
            torch.rand(count, 2, device=device),
        )
        repeat = (len(pictures), 1)
        return augment(torch.cat(pictures), shifts.repeat(repeat), holes.repeat(repeat))


def wanted_minus_present(indicator: Tensor, logits: Tensor, sizes: Sequence[int]) -> Tensor:
    """The difference that the generator is asked for, (N, J) in [-1, 1]; 0 for what stays.

    Args:
        indicator: wanted values h, (N, J).
        logits: of the reference's values, (N, J).
        sizes: number of values of each attribute.
    """
    # Slices, not `split`: OpenVINO does not compile a split into blocks of several sizes.
    blocks, first = [], 0
    for size in sizes:
        block = slice(first, first + size)
        wanted, seen = indicator[:, block], logits[:, block].float().softmax(dim=1)
        asked = wanted.sum(dim=1, keepdim=True) > 0
        blocks.append(torch.where(asked, wanted - seen, torch.zeros_like(seen)))
        first += size
    return torch.cat(blocks, dim=1)
