"""Real or fake, from an embedding."""

from __future__ import annotations

from torch import Tensor, nn

from amgan.models.blocks import Float32Linear, initialise


class RealFakeHead(nn.Module):
    """Logit of D(picture), optionally given the picture's labels.

    With labels: the projection discriminator (Miyato and Koyama, ICLR 2018),
    w . e + e . V f / max(1, |f|).

    Args:
        embedding_dim: D.
        num_values: J to judge with labels, 0 to judge the picture alone.
    """

    def __init__(self, embedding_dim: int, num_values: int = 0) -> None:
        super().__init__()
        self.judge = Float32Linear(embedding_dim, 1)
        self.label_embedding = (
            Float32Linear(num_values, embedding_dim, bias=False) if num_values else None
        )
        initialise(self)

    def forward(self, embeddings: Tensor, one_hot: Tensor) -> Tensor:
        """Logits (N,) float32 from embeddings (N, D) and labels f (N, J)."""
        logits: Tensor = self.judge(embeddings)[:, 0]
        if self.label_embedding is not None:
            known = one_hot.sum(dim=1, keepdim=True).clamp(min=1)
            projected = self.label_embedding(one_hot / known)
            logits = logits + (projected * embeddings.float()).sum(dim=1)
        return logits
