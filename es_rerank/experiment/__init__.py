"""Experiments on live traffic: who gets what, lists of several teams, what is recorded. Pure."""
