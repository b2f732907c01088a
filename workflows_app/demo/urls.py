"""The demo service's addresses, under `/demo/`."""

from django.urls import path

from workflows_app.demo import views

app_name = "demo"

urlpatterns = [
    path("orders", views.order_pages, name="orders"),
    path("echo", views.echo, name="echo"),
    path("status/<int:code>", views.status, name="status"),
    path("slow", views.slow, name="slow"),
]
