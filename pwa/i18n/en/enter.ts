export const enter = {}
