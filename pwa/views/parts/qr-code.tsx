import './qr-code.css'
import { useEffect, useState } from 'preact/hooks'
import { drawSymbol, type QrSymbol } from './qr-symbol.ts'

/** A code for another camera, dark on light in every theme: cameras need it so. */
export function QrCode({ content, label }: { content: Uint8Array | string; label: string }) {
  const [symbol, setSymbol] = useState<QrSymbol | null>(null)
  useEffect(() => {
    let gone = false
    void drawSymbol(content).then(drawn => {
      if (!gone) setSymbol(drawn)
    })
    return () => {
      gone = true
    }
  }, [content])
  return (
    <div class="qr-code">
      {symbol && (
        <svg
          viewBox={`0 0 ${symbol.size} ${symbol.size}`}
          role="img"
          aria-label={label}
          shape-rendering="crispEdges"
        >
          <path d={symbol.path} />
        </svg>
      )}
    </div>
  )
}
