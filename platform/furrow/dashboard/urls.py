"""Pages of one business, under /t/<tenant_slug>/. Trade apps add theirs through `dashboard_urls`."""

from django.urls import include, path

from furrow.core.extensions import extensions
from furrow.dashboard.views import (
    answers,
    assistants,
    bases,
    budgets,
    business,
    care,
    channels,
    chat,
    conversations,
    costs,
    documents,
    home,
    invoices,
    members,
    photos,
    quality,
    repair,
    runs,
    search,
    webhooks,
    widget,
    worth,
)

app_name = "dashboard"
urlpatterns = [
    path("", home.home, name="home"),
    path("knowledge/", bases.bases, name="bases"),
    path("knowledge/first/", bases.base_first, name="base_first"),
    path("knowledge/new/", bases.base_create, name="base_create"),
    path("knowledge/<uuid:base_id>/", bases.base, name="base"),
    path("knowledge/<uuid:base_id>/settings/", bases.base_update, name="base_update"),
    path("knowledge/<uuid:base_id>/deletion/", bases.base_delete, name="base_delete"),
    path("knowledge/<uuid:base_id>/restoration/", bases.base_restore, name="base_restore"),
    path("knowledge/<uuid:base_id>/files/", bases.document_upload, name="document_upload"),
    path("knowledge/<uuid:base_id>/pages/new/", bases.document_add_url, name="document_add_url"),
    path("knowledge/<uuid:base_id>/texts/new/", bases.document_add_text, name="document_add_text"),
    path("documents/<uuid:document_id>/", documents.document, name="document"),
    path(
        "documents/<uuid:document_id>/settings/", documents.document_update, name="document_update"
    ),
    path(
        "documents/<uuid:document_id>/versions/new/",
        documents.document_replace,
        name="document_replace",
    ),
    path(
        "documents/<uuid:document_id>/fetches/", documents.document_refetch, name="document_refetch"
    ),
    path(
        "documents/<uuid:document_id>/deletion/", documents.document_delete, name="document_delete"
    ),
    path(
        "documents/<uuid:document_id>/restoration/",
        documents.document_restore,
        name="document_restore",
    ),
    path("documents/<uuid:document_id>/retries/", documents.document_retry, name="document_retry"),
    path(
        "documents/<uuid:document_id>/versions/<int:number>/file/",
        documents.document_file,
        name="document_file",
    ),
    path("passages/<uuid:chunk_id>/", documents.chunk_update, name="chunk_update"),
    path("passages/<uuid:chunk_id>/questions/", care.known_question_create, name="known_question"),
    path(
        "questions/<uuid:question_id>/deletion/",
        care.known_question_delete,
        name="known_question_delete",
    ),
    path("questions/restoration/", care.known_question_restore, name="known_question_restore"),
    path("knowledge/<uuid:base_id>/findings/", care.findings, name="findings"),
    path("synonyms/", care.synonyms, name="synonyms"),
    path("synonyms/<uuid:synonyms_id>/", care.synonyms_update, name="synonyms_update"),
    path("synonyms/<uuid:synonyms_id>/deletion/", care.synonyms_delete, name="synonyms_delete"),
    path("search/", search.search, name="search"),
    path("search/settings/", search.settings_apply, name="search_apply"),
    path("assistants/", assistants.assistants, name="assistants"),
    path("assistants/new/", assistants.assistant_create, name="assistant_create"),
    path("assistants/<uuid:assistant_id>/", assistants.assistant, name="assistant"),
    path(
        "assistants/<uuid:assistant_id>/publications/", assistants.publication, name="publication"
    ),
    path(
        "assistants/<uuid:assistant_id>/versions/<int:number>/publication/",
        assistants.roll_back,
        name="roll_back",
    ),
    path(
        "assistants/<uuid:assistant_id>/deletion/",
        assistants.assistant_delete,
        name="assistant_delete",
    ),
    path(
        "assistants/<uuid:assistant_id>/restoration/",
        assistants.assistant_restore,
        name="assistant_restore",
    ),
    path("assistants/<uuid:assistant_id>/chat/", chat.chat, name="chat"),
    path("assistants/<uuid:assistant_id>/widget/", widget.widget, name="widget"),
    path(
        "assistants/<uuid:assistant_id>/widget/secret/", widget.widget_secret, name="widget_secret"
    ),
    path(
        "assistants/<uuid:assistant_id>/answers/new/", answers.answer_create, name="answer_create"
    ),
    path("quality/", quality.quality, name="quality"),
    path("assistants/<uuid:assistant_id>/golden/new/", quality.golden_create, name="golden_create"),
    path(
        "assistants/<uuid:assistant_id>/golden/import/", quality.golden_import, name="golden_import"
    ),
    path(
        "assistants/<uuid:assistant_id>/golden/table.csv",
        quality.golden_export,
        name="golden_export",
    ),
    path("golden/restoration/", quality.golden_restore, name="golden_restore"),
    path("golden/<uuid:golden_id>/", quality.golden_update, name="golden_update"),
    path("golden/<uuid:golden_id>/deletion/", quality.golden_delete, name="golden_delete"),
    path("turns/<uuid:turn_id>/golden/", quality.golden_from_turn, name="golden_from_turn"),
    path("assistants/<uuid:assistant_id>/runs/", runs.run_start, name="run_start"),
    path("assistants/<uuid:assistant_id>/comparison/", runs.comparison, name="comparison"),
    path("runs/<uuid:run_id>/", runs.run, name="run"),
    path("runs/<uuid:run_id>/cancellation/", runs.run_cancel, name="run_cancel"),
    path("runs/<uuid:run_id>/publication/", runs.run_publication, name="run_publication"),
    path(
        "publications/<uuid:check_id>/override/",
        runs.publication_override,
        name="publication_override",
    ),
    path(
        "publications/<uuid:check_id>/withdrawal/",
        runs.publication_withdraw,
        name="publication_withdraw",
    ),
    path("repair/<str:kind>/<uuid:case_id>/", repair.repair, name="repair"),
    path("repair/<str:kind>/<uuid:case_id>/runs/", repair.repair_run, name="repair_run"),
    path("repair/<str:kind>/<uuid:case_id>/answer/", repair.repair_answer, name="repair_answer"),
    path("repair/<str:kind>/<uuid:case_id>/pin/", repair.repair_pin, name="repair_pin"),
    path("repair/<str:kind>/<uuid:case_id>/passage/", repair.repair_passage, name="repair_passage"),
    path("repair/<str:kind>/<uuid:case_id>/dates/", repair.repair_date, name="repair_date"),
    path("repair/<str:kind>/<uuid:case_id>/golden/", repair.repair_golden, name="repair_golden"),
    path(
        "corrections/<uuid:correction_id>/removal/",
        documents.correction_remove,
        name="correction_remove",
    ),
    path(
        "corrections/<uuid:correction_id>/keeping/",
        documents.correction_keep,
        name="correction_keep",
    ),
    path("turns/<uuid:turn_id>/", chat.turn, name="turn"),
    path("answers/", answers.answers, name="answers"),
    path("answers/restoration/", answers.answer_restore, name="answer_restore"),
    path("answers/<uuid:answer_id>/", answers.answer_update, name="answer_update"),
    path("answers/<uuid:answer_id>/deletion/", answers.answer_delete, name="answer_delete"),
    path("gaps/", answers.gaps, name="gaps"),
    path("assistants/<uuid:assistant_id>/gaps/runs/", answers.gaps_ask, name="gaps_ask"),
    path("gaps/<uuid:gap_id>/answer/", answers.gap_answer, name="gap_answer"),
    path("gaps/<uuid:gap_id>/dismissal/", answers.gap_dismiss, name="gap_dismiss"),
    path("gaps/<uuid:gap_id>/reopening/", answers.gap_reopen, name="gap_reopen"),
    path("conversations/", conversations.conversations, name="conversations"),
    path("conversations/<uuid:conversation_id>/", conversations.conversation, name="conversation"),
    path("tickets/", conversations.tickets, name="tickets"),
    path("tickets/<uuid:ticket_id>/", conversations.ticket, name="ticket"),
    path("tickets/<uuid:ticket_id>/reopening/", conversations.ticket_reopen, name="ticket_reopen"),
    path("costs/", costs.costs, name="costs"),
    path("costs/table.csv", costs.costs_table, name="costs_table"),
    path("costs/budgets/", budgets.budgets, name="budgets"),
    path("costs/budgets/new/", budgets.budget_create, name="budget_create"),
    path("costs/budgets/<uuid:budget_id>/", budgets.budget_update, name="budget_update"),
    path("costs/budgets/<uuid:budget_id>/end/", budgets.budget_end, name="budget_end"),
    path(
        "costs/budgets/<uuid:budget_id>/restoration/", budgets.budget_restore, name="budget_restore"
    ),
    path("costs/invoices/", invoices.invoices, name="invoices"),
    path("costs/invoices/<uuid:invoice_id>/", invoices.invoice, name="invoice"),
    path("costs/invoices/<uuid:invoice_id>/pdf/", invoices.invoice_pdf, name="invoice_pdf"),
    path("costs/worth/", worth.worth, name="worth"),
    path("members/", members.members, name="members"),
    path("members/invitations/new/", members.invite, name="invite"),
    path(
        "members/invitations/<uuid:invitation_id>/revocation/",
        members.invitation_revoke,
        name="invitation_revoke",
    ),
    path("members/<uuid:membership_id>/", members.member_update, name="member_update"),
    path("members/<uuid:membership_id>/removal/", members.member_remove, name="member_remove"),
    path("keys/", members.keys, name="keys"),
    path("keys/new/", members.key_create, name="key_create"),
    path("keys/<uuid:key_id>/revocation/", members.key_revoke, name="key_revoke"),
    path("channels/", channels.channels, name="channels"),
    path("channels/new/<str:channel_kind>/", channels.channel_create, name="channel_create"),
    path("channels/<uuid:channel_id>/", channels.channel, name="channel"),
    path("channels/<uuid:channel_id>/settings/", channels.channel_update, name="channel_update"),
    path("channels/<uuid:channel_id>/tests/", channels.channel_test, name="channel_test"),
    path("channels/<uuid:channel_id>/deletion/", channels.channel_delete, name="channel_delete"),
    path(
        "channels/<uuid:channel_id>/restoration/", channels.channel_restore, name="channel_restore"
    ),
    path(
        "channels/<uuid:channel_id>/replies/<uuid:reply_id>/sending/",
        channels.reply_resend,
        name="reply_resend",
    ),
    path("photos/<uuid:photo_id>/", photos.photo, name="photo"),
    path("notifications/", webhooks.webhooks, name="webhooks"),
    path("notifications/new/", webhooks.webhook_create, name="webhook_create"),
    path("notifications/<uuid:webhook_id>/", webhooks.webhook_update, name="webhook_update"),
    path("notifications/<uuid:webhook_id>/secret/", webhooks.webhook_secret, name="webhook_secret"),
    path("notifications/<uuid:webhook_id>/tests/", webhooks.webhook_test, name="webhook_test"),
    path(
        "notifications/<uuid:webhook_id>/deletion/",
        webhooks.webhook_delete,
        name="webhook_delete",
    ),
    path(
        "notifications/<uuid:webhook_id>/restoration/",
        webhooks.webhook_restore,
        name="webhook_restore",
    ),
    path(
        "notifications/messages/<uuid:delivery_id>/resends/",
        webhooks.delivery_resend,
        name="delivery_resend",
    ),
    path("audit/", business.audit, name="audit"),
    path("settings/", business.settings, name="settings"),
]
# A trade app's own pages, with the namespace its urlconf names.
trade_urlpatterns = [
    path(f"{prefix}/", include(urlconf)) for prefix, urlconf in extensions.dashboard_urls.items()
]
