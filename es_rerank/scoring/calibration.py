"""Queries with passages, related and not, English and Chinese, that show a quantiser what activations look like."""

from __future__ import annotations

PAIRS = (
    ("what do cats drink", "Most adult cats are lactose intolerant. Fresh water is all they need beside wet food."),
    ("what do cats drink", "The ferry to the island leaves every two hours between April and October."),
    ("how tall is the tower", "The iron tower stands 330 metres tall, about as much as a building of 81 storeys."),
    ("how tall is the tower", "Sourdough needs flour, water, salt and a starter that has been fed the night before."),
    ("waterproof hiking boots", "Leather boot with a membrane that keeps water out; sole with deep lugs. Sizes 36 to 47."),
    ("waterproof hiking boots", "USB-C cable, two metres, 100 W, braided nylon."),
    ("python read json file", "json.load() takes a file object; json.loads() takes a string. Both return Python objects."),
    ("python read json file", "The ball python, a snake of West Africa, curls up when it feels threatened."),
    ("side effects of ibuprofen", "Common side effects are heartburn, nausea and dizziness; take it with food."),
    ("side effects of ibuprofen", "Interest rates were left unchanged at the central bank's meeting in March."),
    ("best time to plant tomatoes", "Set seedlings outdoors once nights stay above ten degrees, in late spring."),
    ("best time to plant tomatoes", "Error 0x80070005: access denied. Run the installer as administrator."),
    ("猫咪能不能喝牛奶", "成年猫大多乳糖不耐受，喝牛奶容易拉肚子，平时给清水就好。"),
    ("猫咪能不能喝牛奶", "本店所有商品支持七天无理由退换，运费由买家承担。"),
    ("苹果手机怎么截屏", "同时按下侧边按钮和音量加键，然后立即松开，屏幕左下角会出现缩略图。"),
    ("苹果手机怎么截屏", "苹果富含果胶和维生素，每天吃一个有助于消化。"),
    ("北京到上海高铁多久", "最快的列车全程约四小时十八分，每天有四十多趟往返。"),
    ("北京到上海高铁多久", "Der Zug nach Hamburg fährt heute von Gleis sieben."),
    ("refund policy", "Goods may be returned within thirty days; the amount is paid back to the card used."),
    ("connection reset by peer", "The other side closed the connection while data was still being sent: ECONNRESET."),
)
