"""The law library: the same for every tenant, loaded by the operator."""

from django.db import models


class LawArticle(models.Model):
    """`version` is the day of the wording, empty where the source does not tell it. No tenant's table: statutes
    belong to nobody. Rows are added and never changed: a new wording has a new day, and the newest is shown.
    """

    changeable: tuple[str, ...] = ()

    law = models.CharField(max_length=200)
    article = models.CharField(max_length=40)
    version = models.CharField(max_length=10, blank=True)
    path = models.CharField(max_length=300, blank=True)
    text = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["law", "article", "version"], name="contracts_law_article_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.law} {self.article}"
