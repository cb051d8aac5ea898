"""A question for a text in other words than generateContent's: translated on the way there, and back.

The tools ask in the terms of generateContent, whatever is spoken at the other end; what a dialect cannot carry is
refused before anything is sent, or left out with a warning where it only shapes the answer.
"""
