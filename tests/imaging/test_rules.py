"""Ready phrases fit the service they are offered for."""

from __future__ import annotations

import pytest

from his.imaging import rules


def test_every_phrase_is_whole() -> None:
    for phrase in rules.all_phrases():
        assert phrase.part in rules.PARTS
        assert phrase.label
        assert phrase.text.endswith(".")
        assert all(word == word.lower() for word in phrase.words)


@pytest.mark.parametrize(
    ("service", "label"),
    [
        ("Chụp X-quang ngực thẳng", "Phổi bình thường"),
        ("Chụp Xquang ngực nghiêng", "Phổi bình thường"),
        ("Chụp X-quang xương cẳng tay", "Xương bình thường"),
        ("Siêu âm ổ bụng", "Bụng bình thường"),
        ("Điện tim thường", "Nhịp xoang"),
    ],
)
def test_the_nearest_phrases_are_offered(service: str, label: str) -> None:
    assert label in [phrase.label for phrase in rules.phrases_for(service, "description")]


def test_a_chest_radiograph_gets_no_bone_and_no_ultrasound_phrase() -> None:
    labels = [phrase.label for phrase in rules.phrases_for("Chụp X-quang ngực thẳng", "description")]
    assert "Xương bình thường" not in labels
    assert "Bụng bình thường" not in labels


def test_a_service_without_phrases_gets_the_general_conclusion() -> None:
    assert [p.label for p in rules.phrases_for("Đo mật độ xương", "conclusion")] == ["Chưa thấy bất thường"]
    assert rules.phrases_for("Đo mật độ xương", "description") == []
