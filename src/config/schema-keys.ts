import { z } from 'zod';

export type Path = readonly (string | number)[];

/** The part of a schema that judges the value at this path; null where the schema knows no such place. */
export function schemaAt(schema: z.core.$ZodType, path: Path): z.core.$ZodType | null {
  let current: z.core.$ZodType | null = unwrap(schema);
  for (const step of path) {
    if (current instanceof z.ZodObject && typeof step === 'string') current = childOf(current, step);
    else if (current instanceof z.ZodArray && typeof step === 'number') current = unwrap(current.element);
    else return null;
    if (current === null) return null;
  }
  return current;
}

/** The keys that a mapping at this path may have. */
export function keysAt(schema: z.core.$ZodType, path: Path): string[] {
  const found = schemaAt(schema, path);
  return found instanceof z.ZodObject ? Object.keys(found.shape) : [];
}

function childOf(object: z.ZodObject, key: string): z.core.$ZodType | null {
  const shape = object.shape as Readonly<Record<string, z.core.$ZodType>>;
  const child = Object.hasOwn(shape, key) ? shape[key] : undefined;
  return child === undefined ? null : unwrap(child);
}

/** Without the layers that only fill in, allow null or convert. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodNullable) return unwrap(schema.unwrap());
  if (schema instanceof z.ZodPipe)
    return unwrap(schema.in instanceof z.ZodTransform ? schema.out : schema.in);
  return schema;
}

/** An environment variable is always text: where a number or a flag is wanted, such a text is read as one. */
export function readExpanded(
  schema: z.core.$ZodType,
  expansion: { readonly value: unknown; readonly expanded: readonly Path[] },
): unknown {
  for (const path of expansion.expanded) {
    const wanted = schemaAt(schema, path);
    const key = path.at(-1);
    if (key === undefined || wanted === null) continue;
    const parent = path
      .slice(0, -1)
      .reduce<unknown>(
        (value, step) => (value as Record<string | number, unknown>)[step],
        expansion.value,
      ) as Record<string | number, unknown>;
    const text = parent[key];
    if (typeof text !== 'string') continue;
    if (wanted instanceof z.ZodNumber && /^\d{1,15}$/.test(text)) parent[key] = Number(text);
    if (wanted instanceof z.ZodBoolean && /^(true|false)$/.test(text)) parent[key] = text === 'true';
  }
  return expansion.value;
}
