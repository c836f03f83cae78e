"""Similar products over HTTP, for projects that have Django REST framework (extra ``api``).

With the shop's own viewset, queryset, permissions and serializer::

    from imgrec.rest_framework.mixins import SimilarProductsMixin

    class ProductViewSet(SimilarProductsMixin, viewsets.ModelViewSet):
        queryset = Product.objects.filter(published=True)
        serializer_class = ProductSerializer

    GET  /api/products/42/similar/?limit=8&min_similarity=0.5
    POST /api/products/similar-to-photo/        multipart, the picture in the field "photo"

Or ready, without writing any of these, for every model with look-alikes::

    path("api/", include("imgrec.rest_framework.urls"))

Both answer ``{"indexed": true, "way": "list", "space": "shop.product.embedding", "next": null,
"results": […]}``, where ``next`` is what ``after=`` takes for the next page; every error
``{"detail": "a sentence", "code": "a_word"}``.
"""
