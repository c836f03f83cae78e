import type { ImgrecError, PhotoForm, SimilarProductAnswer, SimilarQuery } from "./types";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }
}

export class Imgrec {
  /** `base`: the address of a model's products, such as "/api/shop/product/". */
  constructor(private readonly base: string) {}

  similar(key: number | string, query: SimilarQuery = {}): Promise<SimilarProductAnswer> {
    const asked = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) asked.set(name, String(value));
    }
    return this.answer(fetch(`${this.base}${encodeURIComponent(key)}/similar/?${asked}`));
  }

  similarToPhoto(asked: PhotoForm): Promise<SimilarProductAnswer> {
    const body = new FormData();
    for (const [name, value] of Object.entries(asked)) {
      if (value !== undefined) body.set(name, value instanceof Blob ? value : String(value));
    }
    return this.answer(fetch(`${this.base}similar-to-photo/`, { method: "POST", body }));
  }

  private async answer(asked: Promise<Response>): Promise<SimilarProductAnswer> {
    const response = await asked;
    if (response.ok) return (await response.json()) as SimilarProductAnswer;
    const error = (await response.json()) as ImgrecError;
    throw new ApiError(response.status, error.code, error.detail);
  }
}
