"""A small thesaurus in several languages, so that embeddings of related words lie close without sharing letters."""

from __future__ import annotations

_GROUPS = """
cat kitten kitty feline katze kater chat gato 猫 ねこ
dog puppy hound canine hund welpe chien perro 犬 いぬ
bird sparrow vogel oiseau pájaro 鳥
fish fisch poisson pez 魚
horse pony pferd cheval caballo 馬
car auto automobile vehicle wagen fahrzeug voiture coche 車 自動車
bicycle bike cycle fahrrad velo vélo bicicleta 自転車
train railway zug bahn eisenbahn tren 電車
plane airplane aircraft flugzeug avion avión 飛行機
ship boat schiff boot bateau barco 船
house home building haus gebäude maison casa 家
city town stadt ville ciudad 都市
sea ocean meer ozean mer océan mar 海
mountain hill berg montagne montaña 山
river stream fluss rivière río 川
tree forest wood baum wald arbre forêt árbol 木
flower blossom rose blume fleur flor 花
sun sunshine sunny sonne soleil sol 太陽
rain rainy shower regen pluie lluvia 雨
weather climate wetter klima météo clima 天気
money cash currency price cost geld preis argent dinero お金
bank credit loan kredit banque banco 銀行
doctor physician medicine medical arzt medizin médecin médico 医者
school teacher lesson schule lehrer école escuela 学校
book novel story buch roman geschichte livre libro 本
music song melody musik lied musique música 音楽
food meal dish cooking essen gericht repas comida 食べ物
bread bakery brot bäckerei pain pan パン
coffee espresso café kaffee コーヒー
water drink wasser trinken eau agua 水
computer laptop machine rechner ordinateur ordenador コンピュータ
software program code programm programme programa ソフトウェア
error bug failure fault fehler erreur fallo エラー
king monarch ruler könig roi rey 王
woman lady female frau femme mujer 女
man gentleman male herr homme hombre 男
child kid baby kind enfant niño 子供
happy glad joyful glücklich froh heureux feliz 嬉しい
sad unhappy traurig triste 悲しい
big large huge groß grand grande 大きい
small little tiny klein petit pequeño 小さい
fast quick rapid schnell rapide rápido 速い
war battle conflict krieg schlacht guerre guerra 戦争
love affection liebe amour amor 愛
red rot rouge rojo crimson scarlet 赤
green grün vert verde 緑
blue blau bleu azul 青
yellow gelb jaune amarillo 黄色
orange naranja オレンジ
purple violet lila violett 紫
pink rosa ピンク
brown braun marron 茶色
black schwarz noir negro 黒
white weiß blanc blanco 白
grey gray grau gris 灰色
cyan turquoise türkis
circle disc disk round ball kreis cercle círculo 円 丸
square quadrat carré cuadrado 四角
rectangle rechteck oblong
triangle dreieck triángulo 三角
line stroke linie ligne línea 線
picture image photo photograph drawing bild foto photographie imagen 画像 写真
video film movie clip 動画
sound audio recording voice ton aufnahme 音声
document pdf paper report dokument bericht documento 文書
"""

CONCEPTS: dict[str, str] = {
    word: group.split()[0] for group in _GROUPS.strip().splitlines() for word in reversed(group.split())
}
"""A word, and the first word of the group that it belongs to."""
