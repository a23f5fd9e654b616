"""Pages of contract review, under /t/<business>/contracts/."""

from django.urls import path

from apps.contracts.views import (
    comparison,
    contracts,
    dates,
    playbooks,
    quality,
    questions,
    review,
    start,
)

app_name = "contracts"
urlpatterns = [
    path("", contracts.contracts, name="contracts"),
    path("new/", contracts.contract_create, name="contract_create"),
    path("dates/", dates.dates, name="dates"),
    path("dates/<uuid:obligation_id>/done/", dates.date_done, name="date_done"),
    path("questions/", questions.questions, name="questions"),
    path("questions/<uuid:inquiry_id>/", questions.question, name="question"),
    path("questions/<uuid:inquiry_id>/deletion/", questions.question_delete, name="question_delete"),
    path("quality/", quality.quality, name="quality"),
    path("playbooks/", playbooks.playbooks, name="playbooks"),
    path("playbooks/beginning/", playbooks.playbooks_begin, name="playbooks_begin"),
    path("playbooks/new/", playbooks.playbook_create, name="playbook_create"),
    path("playbooks/<uuid:playbook_id>/", playbooks.playbook, name="playbook"),
    path("playbooks/<uuid:playbook_id>/name/", playbooks.playbook_update, name="playbook_update"),
    path("playbooks/<uuid:playbook_id>/deletion/", playbooks.playbook_delete, name="playbook_delete"),
    path("playbooks/<uuid:playbook_id>/restoration/", playbooks.playbook_restore, name="playbook_restore"),
    path("playbooks/<uuid:playbook_id>/trial/", playbooks.playbook_trial, name="playbook_trial"),
    path("playbooks/<uuid:playbook_id>/rules/new/", playbooks.rule_create, name="rule_create"),
    path("playbooks/<uuid:playbook_id>/rules/<str:key>/", playbooks.rule_update, name="rule_update"),
    path("playbooks/<uuid:playbook_id>/rules/<str:key>/deletion/", playbooks.rule_delete, name="rule_delete"),
    path("findings/<uuid:finding_id>/decision/", review.finding_decide, name="finding_decide"),
    path("findings/<uuid:finding_id>/assignee/", review.finding_assign, name="finding_assign"),
    path("runs/<uuid:run_id>/events/", review.run_events, name="run_events"),
    path("findings/mine/", review.mine, name="mine"),
    path("<uuid:contract_id>/", review.contract, name="contract"),
    path("<uuid:contract_id>/comparison/", comparison.comparison, name="comparison"),
    path("<uuid:contract_id>/progress/", review.progress, name="progress"),
    path("<uuid:contract_id>/start/", start.review_start, name="review_start"),
    path("<uuid:contract_id>/cancellation/", start.review_cancel, name="review_cancel"),
    path("<uuid:contract_id>/versions/new/", contracts.version_create, name="version_create"),
    path("<uuid:contract_id>/retries/", contracts.version_retry, name="version_retry"),
    path("<uuid:contract_id>/deletion/", contracts.contract_delete, name="contract_delete"),
    path("<uuid:contract_id>/restoration/", contracts.contract_restore, name="contract_restore"),
    path("<uuid:contract_id>/files/<str:name>", review.export, name="export"),
]  # fmt: skip
