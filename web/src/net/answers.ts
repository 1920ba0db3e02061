// The shapes of what the server answers (its openapi.json says the same), and its errors.
// SPDX-License-Identifier: BSD-2-Clause

export interface Ranked {
    label: string;
    name?: string;
    p: number; // 0..1
    class?: number;
}

// The name to show: folders of photos are often named with underscores.
export const nameOf = (one: Pick<Ranked, 'label' | 'name'>): string =>
    one.name ?? one.label.replaceAll('_', ' ');

export interface Problem {
    status: number; // 0: no answer at all
    title: string;
    detail?: string;
    code?: string;
}

export interface PhotoAnswer {
    index: number;
    results?: Ranked[];
    explain?: string; // data:image/png
    error?: Problem;
}

export interface Answer {
    id: string;
    model: string;
    results: Ranked[];
    unknown: boolean;
    threshold: number | null;
    images: PhotoAnswer[];
    kept: boolean;
    token?: string;
}

export interface Config {
    version: string;
    models: string[];
    default: string;
    keep: boolean;
    keys: boolean;
    max_images: number;
    max_bytes: number;
    upload: { width: number; height: number };
    blur_degrees: number;
}

export interface ModelClass {
    class: number;
    label: string;
    name?: string;
    example?: string;
}

export interface ModelCard {
    name: string;
    arch: string;
    default: boolean;
    classes: ModelClass[];
    metrics: { accuracy?: number } | null;
}

export interface Observation {
    id: string;
    created: string;
    model: string;
    status: 'pending' | 'confirmed' | 'corrected' | 'rejected';
    label: string | null;
    suggested: string | null;
    results: Ranked[];
    unknown: boolean;
    lat: number | null;
    lon: number | null;
    date: string | null;
    organs: string[];
    note: string | null;
    photos: string[];
    reviewer: string | null;
    reviewed: string | null;
    review_note: string | null;
}

export interface Observations {
    observations: Observation[];
    next: string | null;
}

// The server said no, or (status 0) said nothing.
export class Refused extends Error {
    problem: Problem;
    retryAfter: number; // s, 0 = not said
    lost: boolean; // it no longer has what was uploaded: the photos are fine, begin again

    constructor(problem: Problem, retryAfter = 0, lost = false) {
        super(problem.detail ?? problem.title);
        this.problem = problem;
        this.retryAfter = retryAfter;
        this.lost = lost;
    }
}

export function problemOf(status: number, body: string): Problem {
    try {
        const said = JSON.parse(body) as Partial<Problem>;
        if (typeof said.title === 'string') return { ...said, title: said.title, status };
    } catch {
        // not ours: a proxy's page, or nothing
    }
    return { status, title: status ? 'HTTP ' + status : '' };
}
