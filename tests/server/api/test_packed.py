"""Lists of numbers that are packed while they are read: the vectors of a batch."""

from __future__ import annotations

import json
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gemini_server.api.content import Content, text_part
from gemini_server.api.embeddings import BATCH, SCALED_BATCH, EmbedContentRequest, batch_of_texts

NUMBERS = st.lists(st.floats(-1e30, 1e30), max_size=40)


def batch(*vectors: str, scaled: bool = False) -> list[bytes | None]:
    text = f'{{"embeddings": [{",".join(vectors)}], "usageMetadata": {{"promptTokenCount": 3}}}}'
    answer = (SCALED_BATCH if scaled else BATCH).answer.model_validate_json(text)
    assert answer.usage_metadata is not None
    return [one.values for one in answer.embeddings]


@given(st.lists(NUMBERS, max_size=5))
def test_every_number_becomes_the_nearest_32_bit_float(vectors: list[list[float]]) -> None:
    packed = batch(*(json.dumps({"values": one}) for one in vectors))
    assert packed == [struct.pack(f"<{len(one)}f", *one) for one in vectors]


@given(NUMBERS.filter(any))
def test_numbers_are_scaled_before_they_are_rounded(vector: list[float]) -> None:
    (packed,) = batch(json.dumps({"values": vector}), scaled=True)
    length = math.hypot(*vector)
    assert packed == struct.pack(f"<{len(vector)}f", *(value / length for value in vector))


def test_zeros_stay_zeros_and_integers_are_numbers() -> None:
    assert batch('{"values": [0, 0.0]}', scaled=True) == [bytes(8)]
    assert batch('{"values": [3, 4]}', scaled=True) == [struct.pack("<2f", 0.6, 0.8)]


@pytest.mark.parametrize("vector", ["{}", '{"values": null}', '{"values": null, "shape": [3]}'])
def test_a_vector_without_numbers_is_none(vector: str) -> None:
    assert batch(vector) == [None]


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("value", ["NaN", "Infinity", '"NaN"', "null", "[1]", "{}", '"x"', "1.", "1e999"])
def test_what_is_no_number_is_refused_with_its_place(value: str, scaled: bool) -> None:
    with pytest.raises(ValidationError):
        batch('{"values": [1.0]}', f'{{"values": [0.5, {value}]}}', scaled=scaled)


@pytest.mark.parametrize("value", ["1e39", "-1e200"])
def test_what_32_bits_cannot_hold_is_refused_and_no_infinity(value: str) -> None:
    with pytest.raises(ValidationError, match=r"embeddings\.1\.values\n.*larger than vectors have"):
        batch('{"values": [1.0]}', f'{{"values": [{value}]}}')


def test_a_batch_of_texts_is_what_its_requests_are_one_by_one() -> None:
    def like(text: str, **more: str) -> EmbedContentRequest:
        content = Content(role="user", parts=[text_part(text)])
        return EmbedContentRequest.model_validate(
            {"model": "models/m", "content": content, "output_dimensionality": 8, **more}
        )

    first, second = like(""), like("", task_type="RETRIEVAL_QUERY", title="T")
    texts = ["", 'Zürich "\n\u2028\\', "日本"]
    body = batch_of_texts([(text, first) for text in texts] + [("query", second)])
    alone = [*map(like, texts), like("query", task_type="RETRIEVAL_QUERY", title="T")]
    assert json.loads(body.data)["requests"] == [
        one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in alone
    ]
