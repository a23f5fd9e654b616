"""Sign-in by link, profile and language. Passwords, e-mail and two-step sign-in are django-allauth's."""

from django.urls import path

from furrow.accounts import views

app_name = "accounts"
urlpatterns = [
    path("link/<str:token>/", views.link, name="link"),
    path("profile/", views.profile, name="profile"),
    path("language/", views.language, name="language"),
]
