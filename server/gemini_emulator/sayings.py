"""What is said in recordings: short everyday sentences in a few languages."""

from __future__ import annotations

SAYINGS: dict[str, tuple[str, ...]] = {
    "en": (
        "Good morning, thanks for joining.", "Sure.", "Let us look at the numbers first.", "Yes, I agree.",
        "The second quarter was better than we thought.", "What does that mean for the team?",
        "We will need one more person by the end of the month.", "That sounds reasonable to me.", "Any questions?",
        "I would like to hear what the customers say before we decide anything.", "Right.",
        "Then let us meet again next Tuesday at ten.",
    ),
    "de": (
        "Guten Morgen, danke fürs Kommen.", "Gerne.", "Schauen wir zuerst auf die Zahlen.", "Ja, das sehe ich auch so.",
        "Das zweite Quartal war besser als gedacht.", "Was heißt das für das Team?", "Genau.",
        "Wir brauchen bis Ende des Monats noch eine Person.", "Das klingt für mich vernünftig.", "Gibt es Fragen?",
        "Ich würde gern hören, was die Kunden sagen, bevor wir etwas entscheiden.",
        "Dann treffen wir uns nächsten Dienstag um zehn wieder.",
    ),
    "ja": (
        # The blanks part the words; in a transcript they are left out.
        "おはようございます。", "はい。", "まず 数字を 見ましょう。", "そうですね、賛成です。",
        "第二四半期は 思ったより 良かったです。",
        "チームには どういう 意味ですか。", "月末までに もう一人 必要です。", "質問は ありますか。",
        "決める前に お客様の 声を 聞きたいです。", "では 来週の 火曜日に また 会いましょう。",
    ),
    "fr": (
        "Bonjour et merci d’être là.", "Bien sûr.", "Regardons d’abord les chiffres.", "Je suis d’accord.",
        "Le deuxième trimestre était meilleur que prévu.", "Qu’est-ce que cela veut dire pour l’équipe ?",
    ),
    "es": (
        "Buenos días, gracias por venir.", "Claro.", "Veamos primero los números.", "Estoy de acuerdo.",
        "El segundo trimestre fue mejor de lo que pensábamos.", "¿Qué significa eso para el equipo?",
    ),
}  # fmt: skip
NAMING = {
    "en": "And then there is {}.", "de": "Und dann ist da noch {}.", "ja": "それから {} です。",
    "fr": "Et puis il y a {}.", "es": "Y luego está {}.",
}  # fmt: skip
REGIONS = {"en": "en-US", "de": "de-DE", "ja": "ja-JP", "fr": "fr-FR", "es": "es-ES"}
NAMES = {
    "en": ("english", "englisch", "英語"), "de": ("german", "deutsch"), "ja": ("japanese", "japanisch", "日本語"),
    "fr": ("french", "français"), "es": ("spanish", "español"),
}  # fmt: skip
