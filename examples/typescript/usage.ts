import { ApiError, Imgrec } from "./client";

export async function titles(key: number): Promise<string[]> {
  try {
    const found = await new Imgrec("/api/shop/product/").similar(key, { limit: 4, rescue: true });
    return found.results.map((each) => `${each.title} ${each.similarity.toFixed(2)}`);
  } catch (error) {
    if (error instanceof ApiError && error.code === "not_found") return [];
    throw error;
  }
}
