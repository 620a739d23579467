"""Pairs for models: short, long, cut, in several scripts."""

from __future__ import annotations

PAIRS = [
    ("what is a panda?", "hi"),
    ("what is a panda?", "The giant panda (Ailuropoda melanoleuca) is a bear species endemic to China."),
    ("what do cats drink", "Cats drink water. " * 100),
    ("what do cats drink", "Most adult cats are lactose intolerant: milk gives them a stomach ache, water is enough."),
    ("how tall is the tower", "The iron tower is 330 metres tall, about the same height as a building of 81 storeys."),
    ("猫咪能不能喝牛奶?", "成年猫大多乳糖不耐受，喝牛奶容易拉肚子。"),
    ("猫咪能不能喝牛奶?", "今天天气很好。" * 300),
    ("comment va la reconstruction", "Les travaux de la cathédrale avancent : la flèche a été rétablie."),
]
